import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import type { ReplayGap } from "../core/replay.ts"
import { transaction, type Db } from "../store/database.ts"
import { logBounds } from "../store/log-pages.ts"
import {
  outstandingOf,
  postponeStep,
  queueReplayed,
  saveStep,
  takeDueReplay,
  tallyReplay,
  withdrawReplayed,
  type DueReplay,
} from "../store/replay-steps.ts"
import { holdReplayTarget } from "../store/replays.ts"
import { mostUntried, scheduleOf } from "./rate.ts"
import { walkOn } from "./walk.ts"
import { wantedOf, type CompileName } from "./wanted.ts"

export interface StepOptions {
  pool: Pool
  clock: Clock
  compileName: CompileName
}

const budgetMs = 250
const failedMs = 5_000

/**
 * Takes the next step of a replay whose turn it is: counts what has come to its end, and hands on what there is
 * room for. False where none is due. All of it is one transaction, repeated whole after a crash; one that fails is
 * put off, and tells why.
 */
export async function stepReplay({ pool, clock, compileName }: StepOptions): Promise<boolean> {
  let id: string | undefined
  try {
    return await transaction(pool, async (db) => {
      const replay = await takeDueReplay(db)
      id = replay?.id
      if (replay !== undefined) await takeStep(db, replay, clock(), compileName)
      return replay !== undefined
    })
  } catch (error) {
    if (id !== undefined) await postponeStep(pool, id, failedMs)
    throw error
  }
}

async function takeStep(db: Db, replay: DueReplay, now: Date, compileName: CompileName): Promise<void> {
  const tally = await tallyReplay(db, replay)
  const withdrawn = replay.status === "cancelled" ? await withdrawReplayed(db, replay.id) : 0
  const outstanding = await outstandingOf(db, replay.id)
  const handed = await handOn(db, replay, outstanding, now, compileName)
  const left = outstanding.all + handed.queued
  const isOver = replay.status === "running" && handed.position >= replay.upTo
  const moved = tally.delivered + tally.failed + tally.skipped + handed.matched > 0
  await saveStep(db, replay.id, {
    ...tally,
    position: handed.position,
    matched: handed.matched,
    underWay: handed.matched - handed.queued,
    withdrawn,
    gap: handed.gap,
    settling: left > 0,
    isCompleted: isOver && left === 0,
    pacedUntil: handed.pacedUntil,
    nextMs: handed.hasMore ? 0 : moved ? 50 : 500,
  })
}

interface HandedOn {
  position: number
  matched: number
  queued: number
  pacedUntil: Date | null
  gap: ReplayGap | null
  /** It came back for want of time, and not of room. */
  hasMore: boolean
}

async function handOn(
  db: Db,
  replay: DueReplay,
  outstanding: { all: number; untried: number },
  now: Date,
  compileName: CompileName,
): Promise<HandedOn> {
  const { position, pacedUntil, ratePerSecond, maxOutstanding, upTo } = replay
  const stays = { position, matched: 0, queued: 0, pacedUntil, gap: null, hasMore: false }
  if (replay.status !== "running" || position >= upTo) return stays
  const schedule = scheduleOf(ratePerSecond, pacedUntil, now)
  const room = Math.min(
    schedule.room,
    maxOutstanding - outstanding.all,
    mostUntried(ratePerSecond) - outstanding.untried,
  )
  if (room <= 0) return stays
  const target = await holdReplayTarget(db, replay.subscriptionId)
  if (target === undefined) return stays // it is being changed, or deleted, and the replay with it
  const wanted = await wantedOf(db, target, replay.filter, compileName)
  const { first } = await logBounds(db) // of what there is now, nothing is dropped before the step is over
  const goneTo = Math.min(first - 1, upTo)
  const walk = await walkOn(db, { replay, target, wanted, room, budgetMs })
  const events = walk.found.map((found, n) => ({ ...found, dueAt: schedule.dueAt(n) }))
  const queued = events.length === 0 ? 0 : await queueReplayed(db, replay, events)
  return {
    position: walk.position,
    matched: events.length,
    queued,
    pacedUntil: events.length === 0 ? pacedUntil : schedule.until(events.length),
    gap: goneTo > position ? { from: position + 1, to: goneTo } : null,
    hasMore: events.length < room && walk.position < upTo,
  }
}
