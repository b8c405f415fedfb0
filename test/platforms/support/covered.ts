import { expect } from "vitest"
import type { Normalized } from "../../../src/core/platform.ts"
import { expectWellFormedKey } from "./well-formed.ts"

/**
 * What stands in a field of a thing can be withdrawn only where the state in the same event tells of that
 * field, and what the state tells of is said in no other thing's name.
 */
export function expectStatesCoverWhatIsSaid({ states = [], texts, references }: Normalized): void {
  const fieldsOf = new Map<string, object>()
  for (const { entity, at, fields } of states) {
    const before = fieldsOf.get(entity) ?? {}
    expect(Object.keys(fields).filter((name) => Object.hasOwn(before, name))).toEqual([]) // each in one state
    fieldsOf.set(entity, { ...before, ...fields })
    expectWellFormedKey(entity)
    expect(at.getTime()).not.toBeNaN()
    for (const value of Object.values(fields)) {
      expect(["string", "number", "boolean", "object"]).toContain(typeof value)
      if (typeof value === "string") expect(value.length).toBeLessThanOrEqual(256)
      else if (typeof value === "object") expect(value).toBeNull()
    }
  }
  const [own] = fieldsOf.values()
  const said = [
    ...texts.map(({ subject, document, field }) => ({ subject, document, field })),
    ...references.map(({ subject, document, evidence }) => ({ subject, document, field: evidence.field })),
  ]
  for (const { subject, document, field } of said) {
    if (document !== undefined) expect(Object.keys(fieldsOf.get(document) ?? {})).toContain(field)
    else if (subject === undefined) expect(Object.keys(own ?? {})).not.toContain(field)
  }
}
