import { describe, expect, test } from "vitest"
import { platforms } from "../../src/platforms/index.ts"
import { findEvent } from "../../src/store/events.ts"
import { testDatabase } from "../support/database.ts"
import type { Reply } from "../../src/core/platform.ts"
import {
  isEvent,
  loadFixtures,
  loadSigner,
  messageOf,
  signRequest,
  type Signer,
} from "../support/fixtures.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const clock = { now: new Date() }
const signers = new Map<string, Signer>()
for (const { name } of platforms) {
  const signer = await loadSigner(name)
  if (signer !== null) signers.set(name, signer)
}
const { url } = await startIngest({
  database,
  secrets: Object.fromEntries([...signers].map(([name, { secrets }]) => [name, [...secrets]])),
  clock: () => clock.now,
})

const receipt = /^\{"eventId":"[0-9a-f-]{36}","duplicate":(true|false)\}$/

function textOf({ body }: Pick<Reply, "body">): string {
  return body === null ? "" : JSON.stringify(body)
}

async function post(platform: string, { headers, body }: { headers: Record<string, string>; body: Buffer }) {
  const response = await fetch(`${url}/webhooks/${platform}`, {
    method: "POST",
    headers,
    body: new Uint8Array(body),
  })
  return { status: response.status, text: await response.text() }
}

describe.each(platforms.filter(({ name }) => signers.has(name)))("$name", (platform) => {
  const { name, acceptedStatus } = platform
  const signer = signers.get(name)
  if (signer === undefined) throw new Error(`${name} has no signer`)
  const fixtures = loadFixtures(name)
  const signed = (fixture: (typeof fixtures)[number], secret = signer.secrets[0]) => {
    clock.now = fixture.request.receivedAt
    const { headers, body } = signRequest(fixture.request, signer, secret)
    return { headers: { ...headers }, body }
  }

  test.each(fixtures.filter(isEvent))(
    "$shape is stored under its own name and answered as its sender expects",
    async (fixture) => {
      const { name: eventName, type, priority } = fixture.expect
      const answer = await post(name, signed(fixture))
      const reply = platform.acknowledge?.(messageOf(fixture.request, fixture.contentType)) ?? null
      expect(answer.status).toBe(reply?.status ?? acceptedStatus)
      const { rows } = await database.work.query<{ id: string }>(
        "select id from events where platform = $1 and raw = $2 order by id desc limit 1",
        [name, fixture.request.body],
      )
      expect(await findEvent(database.work, rows[0]?.id ?? "")).toMatchObject({
        platform: name,
        name: eventName,
        type,
        priority,
        contentType: fixture.contentType,
        raw: fixture.request.body,
      })
      expect(answer.text.replace(receipt, "a receipt")).toBe(reply === null ? "a receipt" : textOf(reply))
    },
  )

  test.each(fixtures.filter((fixture) => !isEvent(fixture)))(
    "$shape is answered and stored nowhere",
    async (fixture) => {
      const before = await countEvents()
      const answer = await post(name, signed(fixture))
      expect(fixture.expect).toMatchObject({ handshake: { status: answer.status } })
      expect(answer.text).toBe(
        "handshake" in fixture.expect ? textOf(fixture.expect.handshake) : "a handshake",
      )
      expect(await countEvents()).toBe(before)
    },
  )

  test("a delivery signed with any secret in force is taken, with another none is", async () => {
    const fixture = fixtures.find(isEvent)
    if (fixture === undefined) throw new Error(`${name} has no fixture`)
    expect((await post(name, signed(fixture, signer.secrets[1]))).status).toBeLessThan(300)
    const before = await countEvents()
    const forged = signRequest(fixture.request, signer, signer.secrets[0]).headers
    const answer = await post(name, {
      headers: { ...forged },
      body: Buffer.concat([fixture.request.body, Buffer.from(" ")]),
    })
    expect(answer.status).toBe(401)
    expect(await countEvents()).toBe(before)
  })
})

test("only what a sender never signs is answered unsigned", async () => {
  const fixture = loadFixtures("slack").find(({ shape }) => shape === "ssl-check")
  const challenge = loadFixtures("slack").find(({ shape }) => shape === "url-verification")
  if (fixture === undefined || challenge === undefined) throw new Error("the fixtures are gone")
  expect(
    await post("slack", { headers: { ...fixture.request.headers }, body: fixture.request.body }),
  ).toEqual({
    status: 200,
    text: "",
  })
  expect(
    (await post("slack", { headers: { ...challenge.request.headers }, body: challenge.request.body })).status,
  ).toBe(401)
})

async function countEvents(): Promise<number> {
  const { rows } = await database.work.query<{ count: number }>("select count(*) from events")
  return rows[0]?.count ?? -1
}
