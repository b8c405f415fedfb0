import { expect, test } from "vitest"
import { subscriptionsCommand } from "../../src/cli/commands/subscriptions/index.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"
import { testKeyText } from "../support/sources.ts"
import { startReceiver } from "./receiver.ts"

const { url, database } = await startTestHub({
  env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1), SIGNALBOX_ALLOW_NETWORKS: "127.0.0.0/8" },
})
const run = (...args: string[]) =>
  runCommand(subscriptionsCommand, [...args, "--url", url], { SIGNALBOX_API_KEY: adminKey })

test("a subscription is made, tested, paused, retried and removed from the command line", async () => {
  let answer = 204
  const receiver = await startReceiver(() => answer)
  const { status, lines } = await run(
    "add",
    "chat",
    receiver.url,
    "--filter",
    '{"types": ["chat.*"]}',
    "--ordered",
  )
  expect(status).toBe(0)
  expect(lines.join("\n")).toMatch(
    /^chat {2}active {2}all_events to http.*\nwhsec_\S+\nThis secret is shown once/,
  )
  expect((await run("test", "chat")).lines).toEqual([expect.stringMatching(/^delivered: 204 in \d+ ms$/)])
  answer = 500
  expect(await run("test", "chat")).toEqual({ status: 1, lines: ["failed: the receiver answered 500"] })
  expect((await run("pause", "chat", "--skip")).lines[0]).toContain("paused, skipping")
  const skipped = await until(
    async () => {
      await logEvents(database.work, [{ type: "chat.it.happened" }])
      const { lines: found } = await run("deliveries", "chat", "--status", "skipped", "--json")
      return found.map((line) => JSON.parse(line) as { eventId: string })
    },
    (found) => found.length > 0,
  )
  answer = 204
  expect((await run("resume", "chat")).lines[0]).toContain("chat  active")
  const retried = await run("retry", "chat", "--event", skipped[0]?.eventId ?? "")
  expect(retried.lines).toEqual(["1 will be tried again"])
  for (const since of ["1d", "2026-11-01", "2026-11-01T00:00:00+01:00"]) {
    const { lines: none } = await run("retry", "chat", "--status", "dead", "--since", since)
    expect(none).toEqual(["0 will be tried again"])
  }
  await expect(run("retry", "chat", "--status", "dead", "--since", "soon")).rejects.toThrow("or how long ago")
  await until(
    async () => (await run("deliveries", "chat", "--status", "delivered", "--json")).lines,
    (found) => found.some((line) => line.includes(skipped[0]?.eventId ?? "none")),
  )
  expect((await run("rotate-secret", "chat", "--overlap-hours", "1")).lines.join("\n")).toContain("whsec_")
  expect((await run("list")).lines.join("\n")).toMatch(/chat +active +all_events/)
  expect((await run("show", "chat")).lines.join("\n")).not.toContain("whsec_")
  expect((await run("remove", "chat")).status).toBe(0)
  await expect(run("show", "chat")).rejects.toMatchObject({ code: "not_found" })
  await expect(run("add", "chat")).rejects.toMatchObject({ code: "bad_request" })
  await expect(run("dance")).rejects.toMatchObject({ code: "bad_request" })
})
