import { expect, test } from "vitest"
import { deadLettersCommand } from "../../src/cli/commands/dead-letters.ts"
import { subscriptionsCommand } from "../../src/cli/commands/subscriptions/index.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"
import { testKeyText } from "../support/sources.ts"
import { startReceiver } from "./receiver.ts"

const { url, database, json } = await startTestHub({
  env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1), SIGNALBOX_ALLOW_NETWORKS: "127.0.0.0/8" },
})
const path = "/api/v1/subscriptions"
const post = (at: string, body: object = {}) =>
  json(path + at, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  })
const asked = [["--url", url], { SIGNALBOX_API_KEY: adminKey }] as const
const deliveryOf = (name: string, id: string) => async () =>
  (await json(`${path}/${name}/deliveries/${id}`)).body
const happen = async (type: string) => (await logEvents(database.work, [{ type }]))[0]?.id ?? ""

test("attempts are numbered on where a dead delivery is tried again, and its letter names who failed", async () => {
  let answer = 500
  const receiver = await startReceiver(() => answer)
  const retry = { schedule: [0] }
  await post("", { name: "chat", url: receiver.url, filter: { types: ["chat.*"] }, retry })
  const id = await happen("chat.said")
  const delivery = deliveryOf("chat", id)
  await until(delivery, ({ status }) => status === "dead")

  const { body } = await json("/api/v1/dead-letters")
  expect(body.deadLetters).toMatchObject([{ eventId: id, kind: "webhook", consumer: "chat", attempts: 2 }])
  const [letter] = body.deadLetters
  expect((await json(`/api/v1/dead-letters/${letter.id}`)).body).toMatchObject({ consumer: "chat" })
  const listed = await runCommand(deadLettersCommand, ["list", ...asked[0]], asked[1])
  expect(listed.lines).toEqual([expect.stringContaining(`  webhook chat  `)])

  answer = 204
  await post("/chat/retry", { eventId: id })
  const delivered = await until(delivery, ({ status }) => status === "delivered")
  expect(delivered.attempts).toBe(3)
  expect(delivered.attemptsMade.map(({ attempt }: { attempt: number }) => attempt)).toEqual([1, 2, 3])
  const { body: page } = await json(`${path}/chat/deliveries`)
  expect(page.deliveries).toMatchObject([{ eventId: id, attempts: 3 }])
})

test("what is to be tried again says that it waits for its subscription, where that does not run", async () => {
  let answer = 410
  const receiver = await startReceiver(() => answer)
  await post("", { name: "gone", url: receiver.url, filter: { types: ["gone.*"] } })
  const id = await happen("gone.by")
  const delivery = deliveryOf("gone", id)
  await until(
    async () => (await json(`${path}/gone`)).body,
    ({ status }) => status === "disabled",
  )
  const waiting = await until(delivery, ({ status }) => status === "retrying")
  expect(waiting).toMatchObject({ waitsFor: "subscription", nextAttemptAt: expect.any(String) })
  const listed = await runCommand(subscriptionsCommand, ["deliveries", "gone", ...asked[0]], asked[1])
  expect(listed.lines.join("\n")).toContain("retrying, waits for the subscription")

  answer = 204
  await post("/gone/resume")
  expect(await until(delivery, ({ status }) => status === "delivered")).toMatchObject({ waitsFor: null })
})
