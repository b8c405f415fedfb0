import { expect, it } from "vitest"
import { publish } from "../../src/outbox/publish.ts"
import { transaction } from "../../src/store/database.ts"
import { startTestHub, until } from "../support/hub.ts"

const { hub, database, json } = await startTestHub()

function historyOf(types: string) {
  return json(`/api/v1/events?types=${types}`)
}

it("what is published in a transaction happens if it commits, and only then", async () => {
  await transaction(database.work, (tx) =>
    hub.publish(tx, { type: "invoice.paid", entity: "billing:invoice:42", payload: { amount: 3 } }),
  )
  await transaction(database.work, async (tx) => {
    await hub.publish(tx, { type: "invoice.voided" })
    throw new Error("changed my mind")
  }).catch(() => {})

  const { body } = await until(
    () => historyOf("invoice.*"),
    (answer) => answer.body.events.length > 0,
  )
  expect(body.events).toMatchObject([
    {
      type: "invoice.paid",
      entity: "billing:invoice:42",
      platform: "custom",
      payload: { payload: { amount: 3 } },
    },
  ])
})

it("what is no custom event is refused before it is written", async () => {
  const refused = transaction(database.work, (tx) => hub.publish(tx, { type: "Not A Type" }))
  await expect(refused).rejects.toMatchObject({ code: "bad_request" })
  const { rows } = await database.work.query("select 1 from outbox where event_type = 'Not A Type'")
  expect(rows).toEqual([])
})

it("a dead letter of the outbox is handed over again when it is retried", async () => {
  await transaction(database.work, (tx) => publish(tx, { type: "Not A Type" }))
  const dead = await until(
    () => json("/api/v1/dead-letters?kind=outbox"),
    ({ body }) => body.deadLetters.length === 1,
  )
  const [letter] = dead.body.deadLetters
  expect(letter).toMatchObject({ kind: "outbox", errorCode: "bad_request", status: "open" })
  await database.work.query("update outbox set payload = payload || $1 where event_id = $2", [
    JSON.stringify({ type: "a.type" }),
    letter.eventId,
  ])
  expect((await json(`/api/v1/dead-letters/${letter.id}/retry`, { method: "POST" })).status).toBe(202)
  await until(
    () => historyOf("a.type"),
    ({ body }) => body.events.length === 1,
  )
  expect((await json(`/api/v1/dead-letters/${letter.id}/retry`, { method: "POST" })).status).toBe(409)
  expect((await json(`/api/v1/dead-letters/${letter.id}`)).body.status).toBe("retried")
})

it("a submission without a known length is cut off at the limit", async () => {
  const chunk = new Uint8Array(1 << 20)
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length
      controller.enqueue(chunk)
    },
  })
  const headers = { "content-type": "application/json" }
  const answer = await json("/api/v1/events", { method: "POST", body, duplex: "half", headers }).catch(
    () => ({ status: 413 }),
  ) // cut, or told
  expect(answer.status).toBe(413)
  expect(sent).toBeLessThan(64 << 20)
})

it("equal submissions under an empty Idempotency-Key are two events", async () => {
  const submission = {
    method: "POST",
    body: '{"type":"empty.keyed"}',
    headers: { "content-type": "application/json", "idempotency-key": "" },
  }
  const first = await json("/api/v1/events", submission)
  const second = await json("/api/v1/events", submission)
  expect([first.status, second.status]).toEqual([202, 202])
  expect([first.body.duplicate, second.body.duplicate]).toEqual([false, false])
  expect(second.body.eventId).not.toBe(first.body.eventId)
})

it.each([{ name: "a\0b" }, { name: "a\ud800" }, { tenant: "a\0b" }, { tenant: "\udc00" }])(
  "a key is not made with %j, which no text of the database holds",
  async (given) => {
    const body = JSON.stringify({ name: "reader", scopes: ["events:read"], ...given })
    expect(await json("/api/v1/keys", { method: "POST", body })).toMatchObject({
      status: 400,
      body: { code: "bad_request" },
    })
  },
)

it("a parameter that the list of keys does not know is refused", async () => {
  expect((await json("/api/v1/keys?limit=1")).status).toBe(200)
  expect((await json("/api/v1/keys?tenant=acme")).status).toBe(400)
})

it("a request to make a key has 64 KiB at most, announced or not", async () => {
  const fitting = JSON.stringify({ name: "padded", scopes: ["events:read"] }).padEnd(64 * 1024)
  const large = `${fitting} `
  const init = { method: "POST", duplex: "half" } as const
  expect((await json("/api/v1/keys", { ...init, body: fitting })).status).toBe(201)
  expect((await json("/api/v1/keys", { ...init, body: large })).status).toBe(413)
  expect((await json("/api/v1/keys", { ...init, body: new Blob([fitting]).stream() })).status).toBe(201)
  expect((await json("/api/v1/keys", { ...init, body: new Blob([large]).stream() })).status).toBe(413)
})

const items = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ type: "batch.item.made", entity: `batch:item:${n}` }))

it("many are published by one statement, all of them or none", async () => {
  const keys = await transaction(database.work, (tx) => hub.publishBatch(tx, items(300)))
  expect(new Set(keys).size).toBe(300)
  const lost = transaction(database.work, async (tx) => {
    await hub.publishBatch(tx, items(10))
    throw new Error("changed my mind")
  })
  await expect(lost).rejects.toThrow("changed my mind")
  const refused = transaction(database.work, (tx) =>
    hub.publishBatch(tx, [...items(2), { type: "Not A Type" }]),
  )
  await expect(refused).rejects.toMatchObject({ code: "bad_request" })
  expect(await transaction(database.work, (tx) => hub.publishBatch(tx, []))).toEqual([])

  const seen: (string | null)[] = []
  for await (const { entity, deliveryId } of hub.stream("**", {
    after: "earliest",
    filter: { types: "batch.**" },
  })) {
    seen.push(entity)
    expect(keys).toContain(deliveryId)
    if (seen.length === 300) break
  }
  expect(new Set(seen)).toEqual(new Set(items(300).map(({ entity }) => entity)))
})
