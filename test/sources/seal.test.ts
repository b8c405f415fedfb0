import { assert, property, record, string, uuid, constantFrom, nat } from "fast-check"
import { expect, it } from "vitest"
import { openSecret, rewrapSecret, sealSecret, type SealedSecret } from "../../src/sources/seal.ts"
import { testKeys } from "../support/sources.ts"

const [first, second] = testKeys(1, 2)
const places = record({ id: uuid(), sourceId: uuid(), purpose: constantFrom("signing", "credential") })

it("what is sealed opens at its place, under its key, also when that was wrapped anew", () => {
  assert(
    property(string({ unit: "grapheme" }), places, (value, place) => {
      const sealed = sealSecret(value, place, first!)
      expect(openSecret(sealed, place, [second!, first!])).toEqual({ ok: true, value })
      expect(openSecret(sealed, place, [second!])).toEqual({ ok: false, why: "unknown_key" })
      const again = rewrapSecret(sealed, place, [first!], second!)
      const wrapped = again.ok ? again.wrapped : { wrappedKey: Buffer.alloc(0), keyId: "" }
      expect(openSecret({ ...sealed, ...wrapped }, place, [second!])).toEqual({ ok: true, value })
    }),
  )
})

/** The bytes with one bit turned. */
function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  const bit = at % (copy.length * 8)
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

it("nothing opens after any one bit of it was changed, nor at any other place", () => {
  assert(
    property(string(), places, places, nat(), (value, place, other, at) => {
      const sealed = sealSecret(value, place, first!)
      const broken: SealedSecret[] = [
        { ...sealed, sealed: changed(sealed.sealed, at) },
        { ...sealed, wrappedKey: changed(sealed.wrappedKey, at) },
        { ...sealed, sealed: sealed.sealed.subarray(0, at % sealed.sealed.length) },
      ]
      for (const one of broken)
        expect(openSecret(one, place, [first!])).toEqual({ ok: false, why: "damaged" })
      if (JSON.stringify(other) === JSON.stringify(place)) return
      expect(openSecret(sealed, other, [first!])).toEqual({ ok: false, why: "damaged" })
      expect(rewrapSecret(sealed, other, [first!], second!)).toEqual({ ok: false, why: "damaged" })
    }),
  )
})

it("one value sealed twice gives two texts", () => {
  const place = { id: "i", sourceId: "s", purpose: "signing" }
  const [one, two] = [sealSecret("v", place, first!), sealSecret("v", place, first!)]
  expect(one.sealed.equals(two.sealed)).toBe(false)
  expect(one.wrappedKey.equals(two.wrappedKey)).toBe(false)
})
