import { randomUUID } from "node:crypto"
import { expect } from "vitest"
import type { Message, Platform } from "../../../src/core/platform.ts"
import type { Db } from "../../../src/store/database.ts"
import type { EventExpectation } from "../../support/fixtures.ts"

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
  if (references !== undefined) {
    const found = normalized.references.map(({ evidence: _, ...reference }) => reference)
    expect(inOrder(found)).toEqual(inOrder(references))
  }
  if (texts !== undefined) {
    const found = normalized.texts.map(({ scope: _, ...field }) => field)
    expect(withoutFormat(found)).toEqual(withoutFormat(texts))
    for (const field of texts.filter(({ format }) => format !== undefined))
      expect(found).toContainEqual(field)
  }
  if (mentions !== undefined) {
    const found = normalized.texts.flatMap((field) => platform.mentionsIn?.(field, normalized.entity) ?? [])
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

function sortKey(value: unknown): string {
  return JSON.stringify(Object.entries(value ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Writes a detail row as processing does: objects as JSON, all else as it is. Fails where a column refuses. */
export async function insertDetail(
  db: Db,
  table: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  const columns = Object.keys(detail)
  const values = Object.values(detail).map((value) =>
    typeof value === "object" && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value,
  )
  const names = ["event_id", "tenant", ...columns].join(", ")
  const places = ["event_id", "tenant", ...columns].map((_, index) => `$${index + 1}`).join(", ")
  const result = await db.query(`insert into ${table} (${names}) values (${places})`, [
    randomUUID(),
    "default",
    ...values,
  ])
  expect(result.rowCount).toBe(1)
}
