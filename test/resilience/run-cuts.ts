import { setTimeout as sleep } from "node:timers/promises"
import type { Pool } from "pg"
import { createChance } from "./chance.ts"
import { startCluster, type Cluster } from "./cluster.ts"
import type { FaultKind } from "./faults.ts"
import { startFleet, type Fleet, type Member } from "./fleet.ts"
import { startFlow } from "./flow.ts"
import { createTruthKeeper, type LogTruth, type TruthKeeper } from "./log-truth.ts"
import { reached, type Observer } from "./observers/observer.ts"
import { judge, type Verdict } from "./verdict.ts"

/** What came of a run. */
export interface CutsReport {
  seed: number
  seconds: number
  /** Events that were acknowledged, and those of them that the log does not hold. */
  events: number
  lost: number
  /** Faults that came to pass, by kind, and those of them that cut a connection. */
  faults: Record<FaultKind, number>
  cuts: number
  /** Times that a node which streams was ended. */
  ends: Cluster["ends"]
  /** Connections that clients as users have them opened in the place of lost ones, and times that one gave up. */
  reconnects: number
  givenUp: number
  /** Positions that retention dropped while some were away. */
  retired: number
  consumers: (Verdict & {
    name: string
    /** Whether it was promised each event but once. */
    once: boolean
    positions: number
    reconnects: number
    givenUp: readonly string[]
    refusals: Readonly<Record<number, number>>
  })[]
}

export interface CutsOptions {
  databaseUrl: string
  /** Sees all of the database. */
  pool: Pool
  key: string
  seed: number
  /** Goes on until so many connections were cut. */
  cuts: number
  progress?: (line: string) => void
}

const settleMs = 90_000
/** Cuts between one disturbance of the nodes and the next, and how long they are waited for. */
const cutsBetween = 20
const patienceMs = 10_000

/**
 * Cuts consumers of every transport off at random bytes while events flow and nodes are killed, lets retention
 * pass over some that are away, and compares what each has seen with the log.
 */
export async function runCuts(options: CutsOptions): Promise<CutsReport> {
  const { databaseUrl, pool, key, seed, cuts, progress = () => {} } = options
  const began = performance.now()
  const chance = createChance(seed)
  const keeper = createTruthKeeper(pool)
  await using cluster = await startCluster(databaseUrl, chance.fork())
  const flow = startFlow(cluster.ingest, key, chance.fork())
  await using fleet = await startFleet({ cluster, key, chance: chance.fork() })
  const sleepers = fleet.members.filter(({ sleeps }) => sleeps)
  let stage: "awake" | "asleep" | "back" = "awake"

  while (fleet.cuts() < cuts || stage !== "back") {
    await untilCuts(fleet, fleet.cuts() + cutsBetween)
    await cluster.disturb()
    const { name, log } = rearmost(fleet)
    progress(
      `${fleet.cuts()} cuts, ${flow.acknowledged.length} events, ${shown(cluster.ends)}; ` +
        `furthest behind is ${name} with ${log.positions.length}`,
    )
    if (stage === "awake" && fleet.cuts() >= 0.4 * cuts) {
      stage = "asleep"
      for (const { proxy } of sleepers) proxy.setAway(true)
    } else if (stage === "asleep" && fleet.cuts() >= 0.6 * cuts) {
      fleet.setCalm(true) // until those who are awake have come far enough
      if (!(await passOver(fleet, keeper))) continue
      stage = "back"
      await cluster.disturbBoth() // they may have in memory what retention took
      fleet.setCalm(false)
      for (const { proxy } of sleepers) proxy.setAway(false)
    }
  }

  await flow.stop()
  fleet.setCalm(true)
  const truth = await settled(fleet, keeper, flow.acknowledged)
  const logged = new Set(truth.events.map(({ id }) => id))
  const clients = fleet.members.filter(({ isClient }) => isClient)
  return {
    seed,
    seconds: Math.round((performance.now() - began) / 1_000),
    events: flow.acknowledged.length,
    lost: flow.acknowledged.filter((id) => !logged.has(id)).length,
    faults: faultsOf(fleet),
    cuts: fleet.cuts(),
    ends: cluster.ends,
    reconnects: sum(clients, ({ observer }) => observer.log.reconnects),
    givenUp: sum(clients, ({ observer }) => observer.log.givenUp.length),
    retired: truth.retired.size,
    consumers: fleet.members.map(({ observer, promised }) => {
      const { name, log } = observer
      const { positions, reconnects, givenUp, refusals } = log
      return {
        name,
        once: promised.order === "log",
        ...judge(log, promised, truth),
        positions: positions.length,
        reconnects,
        givenUp,
        refusals,
      }
    }),
  }
}

async function untilCuts(fleet: Fleet, cuts: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (fleet.cuts() < cuts && performance.now() < deadline) await sleep(50)
}

function rearmost({ members }: Fleet): Observer {
  const [first, ...others] = members.filter(({ promised, sleeps }) => !sleeps && promised.types === undefined)
  return others.reduce(
    (least, { observer }) => (observer.log.positions.length < least.log.positions.length ? observer : least),
    first!.observer,
  )
}

/** Lets retention pass over those that are away, as far as all others have come; false while that is not far. */
async function passOver({ members }: Fleet, keeper: TruthKeeper): Promise<boolean> {
  const { events } = await keeper.read()
  const upTo = Math.min(...members.filter(({ sleeps }) => !sleeps).map((member) => passed(member, events)))
  const behind = Math.max(
    ...members.filter(({ sleeps }) => sleeps).map(({ observer }) => reached(observer.log)),
  )
  if (upTo < behind + 50) return false
  await keeper.retire(upTo)
  return true
}

/** Position up to which a consumer lacks nothing. */
function passed({ observer, promised }: Member, events: LogTruth["events"]): number {
  const seen = new Set(observer.log.positions)
  const lacking = events.find(
    ({ position, type }) => (promised.types === undefined || promised.types === type) && !seen.has(position),
  )
  return (lacking?.position ?? Infinity) - 1
}

/** The log once all that was acknowledged is in it and everybody has come to its end, or has had the time for it. */
async function settled(
  { members }: Fleet,
  keeper: TruthKeeper,
  acknowledged: readonly string[],
): Promise<LogTruth> {
  const deadline = performance.now() + settleMs
  for (;;) {
    const truth = await keeper.read()
    const isWhole = truth.events.length >= acknowledged.length
    const done = members.every(({ observer, promised }) => {
      const { missing } = judge(observer.log, promised, truth)
      return missing === 0
    })
    if ((isWhole && done) || performance.now() > deadline) return truth
    await sleep(250)
  }
}

function faultsOf({ members }: Fleet): Record<FaultKind, number> {
  const faults = { refused: 0, unasked: 0, reset: 0, truncated: 0, swallowed: 0, stalled: 0 }
  for (const { proxy } of members) {
    for (const [kind, count] of Object.entries(proxy.faults)) faults[kind as FaultKind] += count
  }
  return faults
}

function shown(ends: Cluster["ends"]): string {
  return `${ends.SIGKILL} kills, ${ends.SIGTERM} ends`
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0)
}
