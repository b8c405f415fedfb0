import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, test } from "vitest"
import { createPool } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { append, deliveriesOf, eventually } from "./log.ts"
import type { MemberSettings } from "./member-child.ts"

const database = await testDatabase()
const script = fileURLToPath(new URL("member-child.ts", import.meta.url))
const children = new Set<ChildProcess>()
const owner = createPool(database.url, { max: 1 })
await owner.query(`create table runs (n bigint generated always as identity, consumer text,
    event_id uuid, entity text, position bigint, member text);
  grant all on runs to signalbox_worker`)
await owner.end()

interface Run {
  consumer: string
  event_id: string
  entity: string | null
  position: number
  member: string
}

beforeEach(() => database.work.query("delete from runs"))

afterEach(async () => {
  await Promise.all([...children].map((child) => ended(child, "SIGKILL")))
})

async function start(settings: Omit<MemberSettings, "url">): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, JSON.stringify({ ...settings, url: database.url })], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  children.add(child)
  await once(child.stdout, "data")
  return child
}

async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, "exit")
    if (signal !== undefined) child.kill(signal)
    await exit
  }
  children.delete(child)
}

async function runs(): Promise<Run[]> {
  const { rows } = await database.work.query<Run>(
    "select consumer, event_id, entity, position, member from runs order by n",
  )
  return rows
}

async function owners(consumer: string): Promise<string> {
  const { rows } = await database.work.query<{ lease_owner: string | null }>(
    `select p.lease_owner from subscription_partitions p join stream_subscriptions s on s.id = p.subscription_id
     where s.name = $1`,
    [consumer],
  )
  return rows
    .map((row) => row.lease_owner ?? "nobody")
    .toSorted()
    .join()
}

function evenly(partitions: number, ...members: string[]): string {
  return members.flatMap((member) => Array.from({ length: partitions / members.length }, () => member)).join()
}

function inOrder(found: readonly Run[]): void {
  const positions = found.map(({ position }) => position)
  expect(positions).toEqual(positions.toSorted((x, y) => x - y))
}

const allDelivered = (count: number) => (rows: { status: string }[]) =>
  rows.length === count && rows.every(({ status }) => status === "delivered")

test("what a killed process had not finished is done by another, and what it had finished is not repeated", async () => {
  const consumers = [{ name: "taken-over" }]
  const first = await start({ member: "first", consumers, leaseMs: 600 })
  const done = await append(database, {}, {}, {})
  await eventually(() => deliveriesOf(database, "taken-over"), allDelivered(3))
  const left = await append(database, { type: "slow.one" }, {}, {})
  await eventually(runs, (rows) => rows.length === 4)
  await ended(first, "SIGKILL")

  await start({ member: "second", consumers, leaseMs: 600 })
  const rows = await eventually(() => deliveriesOf(database, "taken-over"), allDelivered(6))
  expect(rows.map(({ result }) => result)).toEqual(["first", "first", "first", "second", "second", "second"])
  expect(rows[3]?.attempts).toBe(2)
  expect((await runs()).map(({ event_id, member }) => [event_id, member])).toEqual([
    ...done.map((id) => [id, "first"]),
    [left[0], "first"],
    ...left.map((id) => [id, "second"]),
  ])
})

test("an event that ends every process that runs it becomes a dead letter, and takes no other along", async () => {
  const consumers = [{ name: "killed", partitions: 2 }, { name: "bystander" }]
  await (async () => {
    const child = await start({ member: "m0", consumers, leaseMs: 300 })
    const events = Array.from({ length: 12 }, (_, n) => ({
      entity: `thing:${n}`,
      type: n === 5 ? "kill.it" : "slow.one",
    }))
    await append(database, ...events)
    await ended(child)
  })()
  let deaths = 1
  for (; deaths < 30; deaths++) {
    const child = await start({ member: `m${deaths}`, consumers, leaseMs: 300 })
    const settled = eventually(
      async () => [
        ...(await deliveriesOf(database, "killed")),
        ...(await deliveriesOf(database, "bystander")),
      ],
      (rows) => rows.length === 24 && rows.every(({ status }) => status === "delivered" || status === "dead"),
      60_000,
    ).then(() => true)
    if (await Promise.race([settled, ended(child).then(() => false)])) break
    settled.catch(() => {})
  }
  const killed = await deliveriesOf(database, "killed")
  const bystander = await deliveriesOf(database, "bystander")
  // The event ends its process in either consumer, so each has it as a dead letter, and nothing else.
  for (const rows of [killed, bystander]) {
    expect(rows.map(({ status }) => status)).toEqual(rows.map((_, n) => (n === 5 ? "dead" : "delivered")))
    expect(rows[5]?.attempts).toBe(5)
  }
  expect(deaths).toBeGreaterThanOrEqual(5)
  expect(deaths).toBeLessThanOrEqual(10)
  const letters = await database.work.query("select error_code, attempts from dead_letters")
  expect(letters.rows).toEqual([
    { error_code: "interrupted", attempts: 5 },
    { error_code: "interrupted", attempts: 5 },
  ])
}, 120_000)

test("with a single attempt, what a killed process had begun and not run is run, and only the killer dies", async () => {
  const consumers = [{ name: "single", attempts: 1 }]
  const first = await start({ member: "s0", consumers, leaseMs: 300 })
  const ids = await append(
    database,
    ...Array.from({ length: 30 }, (_, n) => ({
      entity: `thing:${n}`,
      type: n === 0 ? "kill.it" : "good.one",
    })),
  )
  await ended(first)
  const begun = await deliveriesOf(database, "single")
  expect(begun.length).toBeGreaterThan(1)
  let deaths = 1
  for (; deaths < 10; deaths++) {
    const child = await start({ member: `s${deaths}`, consumers, leaseMs: 300 })
    const settled = eventually(
      () => deliveriesOf(database, "single"),
      (rows) => rows.length === 30 && rows.every(({ status }) => status !== "running"),
      60_000,
    ).then(() => true)
    if (await Promise.race([settled, ended(child).then(() => false)])) break
    settled.catch(() => {})
  }
  const rows = await deliveriesOf(database, "single")
  expect(rows.map(({ status }) => status)).toEqual(ids.map((_, n) => (n === 0 ? "dead" : "delivered")))
  // Once in company, and then alone until it is certain.
  expect({ deaths, attempts: rows[0]?.attempts }).toEqual({ deaths: 3, attempts: 3 })
  expect((await runs()).filter(({ event_id }) => event_id === ids[0])).toHaveLength(3)
  const { rows: letters } = await database.work.query(
    "select event_id, error_code from dead_letters where event_id = $1",
    [ids[0]],
  )
  expect(letters).toEqual([{ event_id: ids[0], error_code: "interrupted" }])
}, 120_000)

test("a holder that was halted and comes back after its lease was taken over writes nothing", async () => {
  const consumers = [{ name: "fenced" }]
  const first = await start({ member: "halted", consumers, leaseMs: 500 })
  await append(database, { type: "slow.one" }, { type: "slow.two" })
  await eventually(runs, (rows) => rows.length === 1)
  first.kill("SIGSTOP")
  const second = await start({ member: "heir", consumers, leaseMs: 500 })
  const taken = await eventually(() => deliveriesOf(database, "fenced"), allDelivered(2))
  expect(taken.map(({ result, attempts }) => ({ result, attempts }))).toEqual([
    { result: "heir", attempts: 2 },
    { result: "heir", attempts: 2 },
  ])

  first.kill("SIGCONT")
  const before = await runs()
  await new Promise((resolve) => setTimeout(resolve, 1_000)) // its run ends, and it would settle
  expect(await deliveriesOf(database, "fenced")).toEqual(taken)
  expect(await runs()).toEqual(before)

  // It is a member again, and goes on when the partition comes back to it.
  await ended(second, "SIGTERM")
  await append(database, {})
  const rows = await eventually(() => deliveriesOf(database, "fenced"), allDelivered(3))
  expect(rows[2]).toMatchObject({ result: "halted", attempts: 1 })
})

test("what a member hands back when it stops runs before anything newer, however much it is", async () => {
  const consumers = [{ name: "handed" }]
  const entity = "thing:1"
  const first = await start({ member: "first", consumers, leaseMs: 1_500 })
  const slow = { entity, type: "slow.one" }
  await append(database, slow, slow, ...Array.from({ length: 40 }, () => ({ entity })))
  await eventually(runs, (rows) => rows.length > 0)
  await ended(first, "SIGTERM")
  expect((await runs()).length).toBeLessThan(42)
  await append(database, ...Array.from({ length: 10 }, () => ({ entity })))
  await start({ member: "second", consumers, leaseMs: 1_500 })
  await eventually(() => deliveriesOf(database, "handed"), allDelivered(52))
  inOrder(await runs())
})

test("processes share the partitions, each entity in order, also when one joins, leaves or dies", async () => {
  const consumers = [{ name: "shared", partitions: 8 }]
  let appended = 0
  const more = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 10) {
      await append(
        database,
        ...Array.from({ length: 10 }, (_, index) => ({ entity: `thing:${(appended + n + index) % 17}` })),
      )
    }
    appended += count
  }
  const a = await start({ member: "a", consumers, leaseMs: 1_500 })
  await more(50)
  const b = await start({ member: "b", consumers, leaseMs: 1_500 })
  await more(50)
  await eventually(
    () => owners("shared"),
    (found) => found === evenly(8, "a", "b"),
  )
  await more(50)
  const c = await start({ member: "c", consumers, leaseMs: 1_500 })
  const d = await start({ member: "d", consumers, leaseMs: 1_500 })
  await more(50)
  await eventually(
    () => owners("shared"),
    (found) => found === evenly(8, "a", "b", "c", "d"),
  )
  await more(50)
  await ended(b, "SIGKILL")
  await more(50)
  await ended(c, "SIGTERM")
  await more(50)
  await eventually(
    () => owners("shared"),
    (found) => found === evenly(8, "a", "d"),
  )
  await eventually(() => deliveriesOf(database, "shared"), allDelivered(appended))
  await Promise.all([a, d].map((child) => ended(child, "SIGTERM")))

  const all = await runs()
  expect(new Set(all.map(({ member }) => member))).toEqual(new Set(["a", "b", "c", "d"]))
  expect(new Set(all.map(({ event_id }) => event_id)).size).toBe(appended)
  for (const entity of Map.groupBy(all, (run) => run.entity).values()) {
    inOrder([...new Map(entity.toReversed().map((run) => [run.event_id, run])).values()].toReversed())
    for (const member of Map.groupBy(entity, (run) => run.member).values()) inOrder(member)
  }
  // Only what the killed one had in hand ran again: a run in each of its two partitions, and what was
  // on its way to the database.
  const repeated = all.length - appended
  expect(repeated).toBeLessThanOrEqual(20)
}, 60_000)
