import * as fc from "fast-check"
import { expect, test } from "vitest"
import { maskedPayload, maskedText, maskJson, maskText } from "../../src/core/mask.ts"
import { mayHoldSecret } from "../../src/core/secret-hints.ts"
import { octokitExamples } from "../support/octokit-examples.ts"
import { coreOf, harmless, secretNames, secretsByLooks } from "../support/secrets.ts"

const json = "application/json"
const form = "application/x-www-form-urlencoded"
const looks = Object.entries(secretsByLooks)

/** Every letter as an escape, which no sender writes and JSON allows. */
function escaped(text: string): string {
  return `"${text.replaceAll(/[\s\S]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`
}

test.each(looks)("%s is masked wherever it stands", (_, secret) => {
  const core = coreOf(secret)
  expect(secret).toContain(core)
  expect(maskText(`before ${secret}\nafter`)).not.toContain(core)
  const written = JSON.stringify(secret)
  for (const text of [
    written,
    `{"a":{"b":[1,${written},2]}}`,
    `{"note":${JSON.stringify(`line\n${secret}\nline "quoted" ü`)}}`,
    `{"slashes":${written.replaceAll("/", "\\/")}}`,
    `{"escaped":${escaped(secret)}}`,
    `{"nested":${JSON.stringify(JSON.stringify({ deeper: secret, list: [`\n${secret}`] }))}}`,
    `{${written}:1}`,
  ]) {
    const shown = maskedText(Buffer.from(text), json)
    expect(shown).toContain("[masked]")
    expect(JSON.stringify(JSON.parse(shown))).not.toContain(core)
  }
  const inForm = new URLSearchParams({ payload: JSON.stringify({ note: secret }) })
  expect(maskedText(Buffer.from(inForm.toString()), form)).not.toContain(core)
})

test.each(secretNames)("what a field %s holds is masked whatever it looks like", (name) => {
  for (const value of ["x", "verification-token", 'a "quoted\\" \n one', "ü😀"]) {
    const body = JSON.stringify({ deep: [{ [name]: value, beside: value }] }, null, 2)
    const shown = maskedText(Buffer.from(body), json)
    expect(JSON.parse(shown)).toEqual({ deep: [{ [name]: "[masked]", beside: value }] })
  }
  expect(maskedText(Buffer.from(`{${escaped(name)} : ${escaped("value")}}`), json)).toBe(
    `{${escaped(name)} : "[masked]"}`,
  )
  expect(maskedText(Buffer.from(`${encodeURIComponent(name)}=value&b=c`), form)).toBe(
    `{${JSON.stringify(name)}:"[masked]","b":"c"}`,
  )
})

test("what holds no text cannot hold a secret, and stays", () => {
  const body =
    '{"token":null,"secret":"","password":{"set":true},"api_key":[],"access_token":7,"token_id":"x"}'
  expect(maskJson(body)).toBe(body)
})

test.each(harmless)("%s is nothing to hide", (text) => {
  expect(maskText(text)).toBe(text)
  const body = JSON.stringify({ [text]: text, list: [text] })
  expect(maskJson(body)).toBe(body)
})

test("the secret of an AWS key is masked beside its id, a SHA-1 there is not", () => {
  const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
  const sha = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
  const id = secretsByLooks["an AWS key id"] ?? ""
  expect(maskJson(JSON.stringify({ a: `${id} ${secret} ${sha}` }))).toBe(`{"a":"[masked] [masked] ${sha}"}`)
  expect(maskJson(JSON.stringify({ id, and: secret, sha }))).toBe(
    `{"id":"[masked]","and":"[masked]","sha":"${sha}"}`,
  )
  expect(maskJson(JSON.stringify({ and: secret, sha }))).toContain(secret)
})

test("all but the secret stays to the byte", () => {
  const secret = secretsByLooks["a GitHub personal token"] ?? ""
  const before = String.raw`{ "id":9007199254740993,"a":1,"a":2,"half":"\ud800","e":1e131072,"u":"\u003c\/ü\\`
  const after = String.raw`\n\u003e","__proto__":{"x" : [ ] },"zero":-0.0}`
  expect(maskJson(`${before}${secret}${after}`)).toBe(`${before}[masked]${after}`)
  expect(maskJson(`${before}","token" :	"${secret}${after}`)).toBe(
    `${before}","token" :	"[masked]${after.slice(after.indexOf('"'))}`,
  )
})

test("GitHub's own examples show nothing that needs hiding but what is named a secret", () => {
  const changed = octokitExamples().filter(({ body }) => maskedText(body, json) !== body.toString())
  expect(changed.map(({ event }) => event)).toEqual(["meta", "package", "package", "ping"])
  for (const { body } of changed) {
    expect(maskedText(body, json).replaceAll(/\[masked\]/g, "").length).toBeGreaterThan(body.length - 300)
  }
})

test("any JSON stays JSON, and is the same but for its masks", () => {
  const pieces = fc.constantFrom(
    ...Object.values(secretsByLooks),
    ...harmless,
    '"',
    "\\",
    "\n",
    "\ud800",
    "npm_",
    "{",
  )
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(pieces, { maxLength: 4 }).map((parts) => parts.join("")),
  )
  const key = fc.oneof(text, fc.constantFrom(...secretNames))
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      text,
      fc.double(),
      fc.constant(null),
      fc.array(tie("any"), { maxLength: 4 }),
      fc.dictionary(key, tie("any"), { maxKeys: 4 }),
    ),
  })).any
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1), (any, indent) => {
      const body = JSON.stringify(any, null, indent)
      const shown = maskedText(Buffer.from(body), json)
      expect(shown).toBe(maskJson(body)) // the hints have missed nothing
      expect(mayHoldSecret(Buffer.from(body)) || shown === body).toBe(true)
      expect(() => void JSON.parse(shown)).not.toThrow()
    }),
    { numRuns: 2_000 },
  )
})

test("a text that ends like a name is not looked at closely, a field of that name is", () => {
  for (const body of ['{"message":"drop the token","n":1}', '["a secret"]'])
    expect(mayHoldSecret(Buffer.from(body))).toBe(false)
  for (const body of ['{"token":"x"}', '{"token" : "x"}', '{"token"\n\t:"x"}', '{"token"'])
    expect(mayHoldSecret(Buffer.from(body))).toBe(true)
})

test("text that is no JSON is left standing, whatever it is", () => {
  for (const text of [
    "",
    '"',
    '"token":"',
    '{"token":"x',
    '"\\',
    `"${"\\".repeat(99)}`,
    '{"token"',
    "\\u00",
  ]) {
    expect(() => maskJson(text)).not.toThrow()
  }
})

test("megabytes made to be slow are masked in no more than linear time", () => {
  const million = 1_000_000
  for (const text of [
    "eyJ".repeat(million),
    "eyJabcdefgh.".repeat(million / 4),
    "Bearer ".repeat(million),
    "-----BEGIN PRIVATE KEY-----".repeat(million / 10),
    "?a".repeat(million),
    "://a:".repeat(million),
    `AKIA${"A".repeat(16)} ${"a0+".repeat(million)}`,
    '\\"'.repeat(million),
    `${secretsByLooks["a Linear key"]} `.repeat(million / 20),
  ]) {
    expect(maskedPayload(Buffer.from(JSON.stringify({ token: "x", text })), json)).toHaveProperty(
      "token",
      "[masked]",
    )
  }
})
