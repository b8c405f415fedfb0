import { expect, test } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { logEvents } from "../support/events.ts"
import { startTestHub, until } from "../support/hub.ts"
import { testKeyText } from "../support/sources.ts"
import { startReceiver } from "./receiver.ts"

const { database, json } = await startTestHub({
  env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1), SIGNALBOX_ALLOW_NETWORKS: "127.0.0.0/8" },
})

interface Receipt {
  subscription: string
  event_id: string
  type: string
  attempt: number
  status_code: number | null
  delivered: boolean
  response: string | null
  error: string | null
}

async function receiptsOf(tenant: string): Promise<Receipt[]> {
  return readAs(database, tenant, async (db) => {
    const { rows } = await db.query<Receipt>("select * from webhook_receipts order by sent_at")
    return rows
  })
}

function subscribe(tenant: string, name: string, url: string, settings: object = {}) {
  const headers = { "content-type": "application/json", "x-signalbox-tenant": tenant }
  const body = JSON.stringify({ name, url, filter: { types: ["receipt.*"] }, ...settings })
  return json("/api/v1/subscriptions", { method: "POST", headers, body })
}

test("SQL tells a tenant who got what and when, and what came back, and no other tenant any of it", async () => {
  let answer = 503
  const receiver = await startReceiver(
    (_request, response) => void response.writeHead(answer).end("so be it"),
  )
  expect(
    await subscribe("default", "got", receiver.url, { retry: { schedule: [1, 1, 1, 1, 1] } }),
  ).toMatchObject({
    status: 201,
  })
  const [event] = await logEvents(database.work, [{ type: "receipt.was.asked" }])
  await until(
    () => receiptsOf("default"),
    (rows) => rows.length > 0,
  )
  answer = 200
  const receipts = await until(
    () => receiptsOf("default"),
    (rows) => rows.at(-1)?.delivered === true,
  )
  const common = { subscription: "got", event_id: event?.id, type: "receipt.was.asked", response: "so be it" }
  expect(receipts[0]).toMatchObject({
    ...common,
    attempt: 1,
    status_code: 503,
    delivered: false,
    error: "the receiver answered 503",
  })
  expect(receipts.at(-1)).toMatchObject({ ...common, status_code: 200, delivered: true, error: null })
  expect(receipts.map(({ attempt }) => attempt)).toEqual(receipts.map((_, index) => index + 1))
  expect(await receiptsOf("other")).toEqual([])
})

test("metrics tell how every subscription of the tenant goes", async () => {
  const receiver = await startReceiver(() => 500)
  await subscribe("metrics", "bad", receiver.url)
  const theirs = { headers: { "x-signalbox-tenant": "metrics" } }
  await logEvents(
    database.work,
    Array.from({ length: 9 }, () => ({ tenant: "metrics", type: "receipt.was.asked" })),
  )
  const { body } = await until(
    () => json("/api/v1/metrics", theirs),
    (found) =>
      typeof found.body.subscriptions[0]?.restsUntil === "string" &&
      found.body.subscriptions[0]?.failures >= 5,
  )
  const [standing, ...others] = body.subscriptions
  expect(others).toEqual([])
  expect(standing).toMatchObject({ subscription: "bad", status: "active", held: 0, dead: 0 })
  expect(standing.retrying).toBeGreaterThanOrEqual(5)
  expect(Date.parse(standing.restsUntil)).toBeGreaterThan(Date.parse(standing.failingSince))
})
