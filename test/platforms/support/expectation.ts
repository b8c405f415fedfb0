import { randomUUID } from "node:crypto"
import { expect } from "vitest"
import type { Message, Platform } from "../../../src/core/platform.ts"
import type { Db } from "../../../src/store/database.ts"
import type { EventExpectation } from "../../support/fixtures.ts"
import { readText } from "../../../src/correlation/read-text.ts"

/** Holds what a platform makes of a fixture against what the fixture says, as far as it says it. */
export function expectNormalized(platform: Platform, message: Message, expected: EventExpectation): void {
  const normalized = platform.normalize(message)
  const { references, texts, mentions, detail, occurredAt } = expected
  expect(normalized.type).toBe(expected.type)
  expect(normalized.entity).toBe(expected.entity)
  for (const name of ["actor", "title", "url", "correlationId", "causationId"] as const) {
    if (expected[name] !== undefined) expect(normalized[name], name).toEqual(expected[name])
  }
  if (occurredAt !== undefined)
    expect(normalized.occurredAt.toISOString()).toBe(new Date(occurredAt).toISOString())
  if (detail === null) expect(normalized.detail).toBeNull()
  else if (detail !== undefined) expect(normalized.detail).toMatchObject(detail)
  if (expected.deployment === null) expect(normalized.deployment ?? null).toBeNull()
  else if (expected.deployment !== undefined) expect(normalized.deployment).toMatchObject(expected.deployment)
  if (references !== undefined) {
    const found = normalized.references.map(({ entity, relation, subject }) => ({
      entity,
      relation,
      subject,
    }))
    expect(inOrder(found)).toEqual(inOrder(references.map((one) => ({ subject: undefined, ...one }))))
  }
  if (texts !== undefined) {
    expect(withoutFormat(normalized.texts)).toEqual(withoutFormat(texts))
    for (const field of texts) expect(normalized.texts).toContainEqual(expect.objectContaining(field))
  }
  if (mentions !== undefined) {
    const found = normalized.texts.flatMap((field) => readText([platform], field, normalized.entity))
    expect(withoutText(found)).toEqual(withoutText(mentions))
    for (const mention of mentions) expect(found).toContainEqual(expect.objectContaining(mention))
  }
}

function withoutFormat(
  fields: readonly { field: string; text: string; subject?: string | undefined }[],
): unknown[] {
  return inOrder(fields.map(({ field, text, subject }) => ({ field, text, subject })))
}

function withoutText(mentions: readonly { entity: string; relation: string }[]): unknown[] {
  return inOrder(mentions.map(({ entity, relation }) => ({ entity, relation })))
}

function inOrder<T>(values: readonly T[]): T[] {
  return values.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

// By what is there, in the order of its names.
function sortKey(value: unknown): string {
  const entries = Object.entries(value ?? {}).filter(([, entry]) => entry !== undefined)
  return JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Writes a detail row as processing does, objects as JSON, and answers the number of rows written. */
export async function insertDetail(
  db: Db,
  table: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<number | null> {
  const row = { event_id: randomUUID(), tenant: "default", ...detail }
  const values = Object.values(row).map((value: unknown) =>
    typeof value === "object" && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value,
  )
  const places = values.map((_, index) => `$${index + 1}`).join(", ")
  const insert = `insert into ${table} (${Object.keys(row).join(", ")}) values (${places})`
  return (await db.query(insert, values)).rowCount
}
