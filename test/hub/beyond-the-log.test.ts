import { expect, test } from "vitest"
import { replayCommand } from "../../src/cli/commands/replay/index.ts"
import { subscriptionsCommand } from "../../src/cli/commands/subscriptions/index.ts"
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"
import { testKeyText } from "../support/sources.ts"

const { hub, url, database, json } = await startTestHub({
  env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1) },
})
hub.on("told.**", () => {}, { name: "told" })
await logEvents(database.work, [{ type: "told.a" }, { type: "told.b" }])

const env = { SIGNALBOX_API_KEY: adminKey }
const post = (path: string, body: object) =>
  json(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  })
const subscription = { name: "far", url: "https://hooks.example.com/far" }

test("a subscription begins no further than the log has come", async () => {
  const refused = await post("/api/v1/subscriptions", { ...subscription, from: 3 })
  expect(refused).toMatchObject({
    status: 400,
    body: {
      code: "bad_request",
      detail: "from: position 3 is beyond the end of the log, which is at 2: begin with earliest or head",
    },
  })
  const add = ["add", "far", subscription.url, "--from", "3", "--url", url]
  await expect(runCommand(subscriptionsCommand, add, env)).rejects.toThrow("beyond the end of the log")
  expect((await json("/api/v1/subscriptions")).body.subscriptions).toEqual([])
  expect((await post("/api/v1/subscriptions", { ...subscription, from: 2 })).status).toBe(201)
})

test("a consumer group that would begin beyond the log is told how to begin", async () => {
  const { status, body } = await post("/api/v1/consumer-groups", { name: "far", start: 3 })
  expect(status).toBe(400)
  expect(body.detail).toBe(
    "start: position 3 is beyond the end of the log, which is at 2: begin with earliest or latest",
  )
})

test("a replay of what is beyond the log, or before where it begins, is refused", async () => {
  for (const dryRun of [false, true]) {
    const beyond = await post("/api/v1/replays", { to: "told", after: 3, dryRun })
    expect(beyond).toMatchObject({ status: 400, body: { code: "bad_request" } })
    expect(beyond.body.detail).toBe(
      "after: position 3 is beyond the end of the log, which is at 2: nothing has happened there that could be replayed",
    )
    const upsideDown = await post("/api/v1/replays", { to: "told", after: 2, upTo: 1, dryRun })
    expect(upsideDown).toMatchObject({ status: 400, body: { code: "bad_request" } })
    expect(upsideDown.body.detail).toBe("upTo: 1 is before after, 2, so that nothing is between them")
  }
  const start = ["start", "told", "--after", "99999999", "--url", url]
  await expect(runCommand(replayCommand, start, env)).rejects.toThrow("beyond the end of the log")
  expect((await json("/api/v1/replays")).body.replays).toEqual([])
  expect((await post("/api/v1/replays", { to: "told", after: 2, upTo: 2 })).status).toBe(201)
})

test("a hub whose handler would begin beyond the log does not start", async () => {
  const other = createHub({ databaseUrl: database.url, port: 0, host: "127.0.0.1", log: silentLog, env: {} })
  other.on("told.**", () => {}, { name: "far handler", from: 3 })
  await expect(other.start()).rejects.toThrow(
    'consumer "far handler": from: position 3 is beyond the end of the log, which is at 2',
  )
})
