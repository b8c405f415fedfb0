import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterEach, expect, test } from "vitest"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import type { ChildLine, ChildSettings } from "./support/member-child.ts"
import { makeGroup } from "./support/members.ts"

/** SIGNALBOX_KILLS=full: one kill every five seconds for a minute, and each rebalance within three. */
const isFull = process.env["SIGNALBOX_KILLS"] === "full"
const [kills, betweenMs, withinMs] = isFull ? [12, 5_000, 3_000] : [8, 1_000, 8_000]
const partitions = 16
const memberCount = 8

const hub = await startTestHub()
const script = fileURLToPath(new URL("support/member-child.ts", import.meta.url))
const children = new Set<ChildProcess>()

afterEach(async () => {
  await Promise.all(
    [...children].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, "exit")
      child.kill("SIGKILL")
      await exit
    }),
  )
})

interface Handled {
  member: string
  partition: number
  position: number
}

interface Member {
  name: string
  child: ChildProcess
}

function startMember(name: string, handled: Handled[]): Member {
  const settings: ChildSettings = { url: hub.url, key: adminKey, group: "killed", name, workMs: 2 }
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  children.add(child)
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said: ChildLine = JSON.parse(line)
    if (said.kind === "event")
      handled.push({ member: name, partition: said.partition, position: said.position })
  })
  return { name, child }
}

async function owners(): Promise<(string | null)[]> {
  const { rows } = await hub.database.work.query<{ member_name: string | null }>(
    "select member_name from consumer_group_lag where consumer_group = 'killed' order by partition",
  )
  return rows.map(({ member_name }) => member_name)
}

/** Events that come without end, over entities of every partition, until stopped; answers their positions. */
function steadyFlow(): { stop(): Promise<number[]> } {
  const stopping = new AbortController()
  const ids: string[] = []
  async function flow(): Promise<void> {
    for (let n = 0; !stopping.signal.aborted; n++) {
      const specs = Array.from({ length: 5 }, (_, k) => ({
        entity: `thing:${(n * 5 + k) % 97}`,
        payload: { n },
      }))
      ids.push(...(await logEvents(hub.database.work, specs)).map(({ id }) => id))
      await sleep(25)
    }
  }
  const flowing = flow()
  return {
    async stop() {
      stopping.abort()
      await flowing
      const { rows } = await hub.database.work.query<{ position: number }>(
        "select position from event_log where event_id = any($1::uuid[]) order by position",
        [ids],
      )
      return rows.map(({ position }) => position)
    },
  }
}

test(
  `${memberCount} members, one killed again and again: every event is handled, in the order of its partition`,
  { timeout: 240_000 },
  async () => {
    await makeGroup(hub, "killed", { partitions })
    const handled: Handled[] = []
    const members = Array.from({ length: memberCount }, (_, n) => startMember(`m${n}`, handled))
    const each = partitions / memberCount
    await until(
      owners,
      (now) => members.every(({ name }) => now.filter((owner) => owner === name).length === each),
      60_000,
    )
    const flow = steadyFlow()
    const rebalances: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      await sleep(betweenMs)
      const victim = members.splice(kill % memberCount, 1)[0]!
      const killedAt = performance.now()
      victim.child.kill("SIGKILL")
      await until(owners, (now) => now.every((owner) => owner !== null && owner !== victim.name), 30_000)
      rebalances.push(Math.round(performance.now() - killedAt))
      members.push(startMember(`m${memberCount + kill}`, handled))
    }
    const positions = await flow.stop()
    const last = positions.at(-1) ?? 0
    await until(
      async () => new Set(handled.map(({ position }) => position)).size,
      (count) => count >= positions.length,
      60_000,
    )
    const { rows } = await hub.database.work.query<{ committed: number }>(
      "select min(committed) as committed from consumer_group_lag where consumer_group = 'killed'",
    )
    expect(rows[0]?.committed).toBeLessThanOrEqual(last)
    if (isFull) console.info(`rebalances in ms: ${rebalances.join(", ")}; events: ${positions.length}`) // oxlint-disable-line no-console

    expect([...new Set(handled.map(({ position }) => position))].toSorted((a, b) => a - b)).toEqual(positions)
    for (const [partition, all] of Map.groupBy(handled, (one) => one.partition)) {
      const firsts = [...new Set(all.map(({ position }) => position))]
      expect(firsts, `partition ${partition}`).toEqual(firsts.toSorted((a, b) => a - b))
      for (const [member, own] of Map.groupBy(all, (one) => one.member)) {
        const order = own.map(({ position }) => position)
        expect(order, `partition ${partition} at ${member}`).toEqual(order.toSorted((a, b) => a - b))
      }
    }
    expect(Math.max(...rebalances)).toBeLessThan(withinMs)
  },
)
