import { expect } from "vitest"
import { deploymentTable } from "../../../src/core/deployment-detail.ts"
import { canonicalEntityKey } from "../../../src/core/entity-key.ts"
import { platformNames } from "../../../src/core/envelope.ts"
import type { Mention, Normalized, Platform, TextField } from "../../../src/core/platform.ts"

const threeSegments = /^[a-z][a-z0-9_]*(?:\.[a-z0-9][a-z0-9_]*){2}$/
const someSegments = /^[a-z][a-z0-9_]*(?:\.[a-z0-9][a-z0-9_]*)+$/
const relationForm = /^[a-z][a-z_]*$/

/** `platform.noun.verb`; a custom event's own type, which may not pose as another platform's. */
export function expectWellFormedType(type: string, platform: Platform): void {
  const first = type.split(".", 1)[0]
  if (platform.name === "custom") {
    expect(type).toMatch(someSegments)
    expect(platformNames.filter((name) => name !== "custom")).not.toContain(first)
  } else {
    expect(type).toMatch(threeSegments)
    expect(first).toBe(platform.name)
  }
  expect(type.length).toBeLessThanOrEqual(200)
}

/** A key in the one form that keys are stored in. */
export function expectWellFormedKey(key: string): void {
  expect(canonicalEntityKey(key), `entity key ${JSON.stringify(key)}`).toBe(key)
}

/** All that shared code and the tables rely on in what a platform makes of a message. */
export function expectWellFormed(normalized: Normalized, platform: Platform): void {
  expectWellFormedType(normalized.type, platform)
  expectStorable(normalized, "normalized")
  if (normalized.entity !== null) expectWellFormedKey(normalized.entity)
  expect(normalized.occurredAt).toBeInstanceOf(Date)
  expect(normalized.occurredAt.getTime()).toBeGreaterThanOrEqual(0) // and so is a time at all
  expect(normalized.occurredAt.getUTCFullYear()).toBeLessThan(10_000)
  if (normalized.url !== null) expect(normalized.url).toMatch(/^https?:\/\//i)
  for (const { entity, at } of normalized.states ?? []) {
    expectWellFormedKey(entity)
    expect(at.getTime()).not.toBeNaN()
  }
  for (const { document } of [...normalized.references, ...normalized.texts]) {
    if (document !== undefined) expectWellFormedKey(document)
  }
  for (const { entity, relation, subject } of normalized.references) {
    expectWellFormedKey(entity)
    if (subject !== undefined) expectWellFormedKey(subject)
    expect(relation).toMatch(relationForm)
  }
  for (const { subject, scope, text } of normalized.texts) {
    if (subject !== undefined) expectWellFormedKey(subject)
    if (scope !== undefined) expectWellFormedKey(scope)
    expect(text).not.toBe("")
  }
  expectDetail(normalized, platform)
}

/** Mentions that say where they stand, in the field they were found in. */
export function expectWellFormedMentions(mentions: readonly Mention[], field: TextField): void {
  expect(mentions.length).toBeLessThanOrEqual(1_000)
  for (const { entity, relation, text, start, end } of mentions) {
    expectWellFormedKey(entity)
    expect(relation).toMatch(relationForm)
    expect(end).toBeGreaterThan(start)
    expect(field.text.slice(start, end)).toBe(text)
  }
}

function expectDetail({ detail, deployment }: Normalized, platform: Platform): void {
  if (deployment) {
    expect(Object.keys(deployment).toSorted()).toEqual(deploymentTable.columns.toSorted())
  }
  if (detail === null) return
  expect(platform.detail).not.toBeNull()
  expect(Object.keys(detail).filter((column) => !platform.detail?.columns.includes(column))).toEqual([])
}

/** Text columns and jsonb refuse NUL and lone surrogates, wherever they stand. */
function expectStorable(value: unknown, path: string): void {
  if (typeof value === "string") {
    expect(value.isWellFormed(), `${path} is well-formed Unicode`).toBe(true)
    expect(value.includes("\0"), `${path} holds a NUL`).toBe(false)
  } else if (typeof value === "number") {
    expect(Number.isFinite(value), path).toBe(true)
  } else if (typeof value === "object" && value !== null && !(value instanceof Date)) {
    for (const [key, entry] of Object.entries(value)) {
      expectStorable(key, `a name in ${path}`)
      expectStorable(entry, `${path}.${key}`)
    }
  }
}
