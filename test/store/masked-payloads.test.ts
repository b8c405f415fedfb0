import * as fc from "fast-check"
import { expect, test } from "vitest"
import { maskedPayload } from "../../src/core/mask.ts"
import { testDatabase } from "../support/database.ts"
import { octokitExamples } from "../support/octokit-examples.ts"
import { coreOf, harmless, secretNames, secretsByLooks } from "../support/secrets.ts"

const { work } = await testDatabase()
const json = "application/json"
const form = "application/x-www-form-urlencoded"

async function payloads(
  bodies: readonly (readonly [body: string | Buffer, contentType: string])[],
): Promise<unknown[]> {
  const { rows } = await work.query<{ payload: unknown }>(
    `select event_payload(raw, type) as payload
     from unnest($1::bytea[], $2::text[]) with ordinality as t (raw, type, place) order by place`,
    [bodies.map(([body]) => Buffer.from(body)), bodies.map(([, type]) => type)],
  )
  return rows.map(({ payload }) => payload)
}

test("every secret that streams mask is masked for SQL alike, in JSON and in forms", async () => {
  const bodies = Object.values(secretsByLooks).flatMap((secret) => {
    const payload = JSON.stringify({
      note: `line\n${secret}\n"quoted"`,
      list: [secret, { [secret]: 1 }, JSON.stringify({ a: `\n${secret}` })],
      npm: "\npm_",
    })
    return [
      [payload, json],
      [new URLSearchParams({ payload }).toString(), form],
      [new URLSearchParams({ text: secret }).toString(), form],
    ] as const
  })
  const shown = await payloads(bodies)
  for (const [index, [body, type]] of bodies.entries()) {
    expect(shown[index]).toEqual(maskedPayload(Buffer.from(body), type))
    expect(JSON.stringify(shown[index])).toContain("[masked]")
  }
  for (const [index, secret] of Object.values(secretsByLooks).entries()) {
    expect(JSON.stringify(shown[3 * index])).not.toContain(coreOf(secret))
  }
})

test("fields named like a secret are masked for SQL alike", async () => {
  const bodies = secretNames.map(
    (name) =>
      [
        JSON.stringify({ deep: [{ [name]: 'a "b\\" \n', [`${name}_id`]: "x" }], [name]: null }),
        json,
      ] as const,
  )
  const shown = await payloads(bodies)
  for (const [index, name] of secretNames.entries()) {
    expect(shown[index]).toEqual({ deep: [{ [name]: "[masked]", [`${name}_id`]: "x" }], [name]: null })
  }
})

test("what is harmless stays for SQL alike", async () => {
  const bodies = harmless.map((text) => [JSON.stringify({ [text]: text }), json] as const)
  expect(await payloads(bodies)).toEqual(harmless.map((text) => ({ [text]: text })))
  const examples = octokitExamples()
  const shown = await payloads(examples.map(({ body }) => [body, json] as const))
  expect(shown).toEqual(examples.map(({ body }) => maskedPayload(body, json)))
})

test("whatever stands around a secret, SQL and streams show the same", async () => {
  const pieces = [...Object.values(secretsByLooks), ...harmless, ...secretNames, "npm_", "ü", "a", "sk_live_"]
  const space = fc.constantFrom("\n", "\t", '"', "\\", "\\n ", " ", ": ", ", ")
  // Kept apart: where two secrets run into each other, one of the two may show an end that the other hides.
  const text = fc
    .array(fc.tuple(fc.constantFrom(...pieces), space), { maxLength: 4 })
    .map((parts) => parts.flat().slice(0, -1).join(""))
  const value = fc.tuple(
    fc.array(text, { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(...secretNames, ...harmless),
      fc.oneof(text, fc.array(text, { maxLength: 2 })),
    ),
    fc.tuple(text, text).map(([key, inner]) => ({ [key]: inner })),
  )
  const bodies = fc.sample(value, 2_000).map((one) => [JSON.stringify(one), json] as const)
  const shown = await payloads(bodies)
  for (const [index, [body]] of bodies.entries()) {
    expect(shown[index], body).toEqual(maskedPayload(Buffer.from(body), json))
  }
})
