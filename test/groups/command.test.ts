import { expect, test } from "vitest"
import { consumerGroupsCommand } from "../../src/cli/commands/consumer-groups.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"
import { joinGroup } from "./support/members.ts"

const hub = await startTestHub()
const run = (...args: string[]) =>
  runCommand(consumerGroupsCommand, [...args, "--url", hub.url], { SIGNALBOX_API_KEY: adminKey })

test("a group is made, listed, shown and deleted from the command line", async () => {
  const made = await run(
    "create",
    "billing",
    "--partitions",
    "2",
    "--filter",
    '{"types": ["thing.*"]}',
    "--session",
    "5",
  )
  expect(made).toEqual({ status: 0, lines: ["billing stands on all_events, in 2 partitions"] })
  expect((await run("list")).lines[0]).toMatch(/billing +all_events +2 +5/)
  const member = await joinGroup(hub, "/api/v1/consumer-groups/billing", "worker-7")
  await member.heartbeat()
  await logEvents(hub.database.work, [{ type: "thing.one" }, { type: "thing.one" }, { type: "thing.one" }])
  const [shown] = (await run("show", "billing")).lines
  expect(shown).toContain("billing  on all_events  3 behind")
  expect(shown).toMatch(/^0 +worker-7 +1 +0 +3 +3$/m)
  expect(shown).toMatch(/^worker-7 +0 1 /m)
  const [json] = (await run("show", "billing", "--json")).lines
  expect(JSON.parse(json ?? "")).toMatchObject({ lag: 3, partitions: [{ partition: 0 }, { partition: 1 }] })
  const metrics = await hub.json("/api/v1/metrics")
  expect(metrics.body.groups).toEqual([
    { group: "billing", partitions: 2, members: 1, lag: 3, lagSeconds: expect.any(Number) },
  ])
  expect((await run("delete", "billing")).status).toBe(0)
  await expect(run("show", "billing")).rejects.toMatchObject({ code: "not_found" })
  await expect(run("create")).rejects.toMatchObject({ code: "bad_request" })
  await expect(run("dance")).rejects.toMatchObject({ code: "bad_request" })
})

test("SQL shows the lag of one tenant's groups, and of no other's", async () => {
  await run("create", "ours", "--partitions", "1")
  await hub.json("/api/v1/consumer-groups", {
    method: "POST",
    body: JSON.stringify({ name: "theirs", partitions: 1 }),
    headers: { "x-signalbox-tenant": "acme" },
  })
  const seenBy = async (tenant: string): Promise<string[]> => {
    const client = await hub.database.read.connect()
    try {
      await client.query("begin")
      await client.query("select set_config('signalbox.tenant', $1, true)", [tenant])
      const lag = await client.query<{ consumer_group: string }>(
        "select consumer_group from consumer_group_lag",
      )
      const cursors = await client.query("select subscription_id from subscription_partitions")
      expect(cursors.rowCount).toBe(lag.rowCount)
      return lag.rows.map((row) => row.consumer_group)
    } finally {
      await client.query("rollback")
      client.release()
    }
  }
  expect(await seenBy("default")).toEqual(["ours"])
  expect(await seenBy("acme")).toEqual(["theirs"])
  expect(await seenBy("nobody")).toEqual([])
})
