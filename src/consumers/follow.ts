import { setTimeout as sleep } from "node:timers/promises"
import type { Pool } from "pg"
import type { LoggedEvent } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { StartFrom } from "../store/consumers.ts"
import { logBounds, logHead, type Hole } from "../store/log-pages.ts"
import { everyTenant, type ConsumerDefinition } from "./definition.ts"
import { inTime } from "./in-time.ts"
import type { ReadLog } from "./log-window.ts"
import { runOnce } from "./run-once.ts"
import { createWaker } from "./waker.ts"

/** Somebody who is handed events in order, one at a time, and whose place nobody keeps. */
export interface FollowOptions extends Pick<
  ConsumerDefinition,
  "name" | "tenant" | "matches" | "run" | "timeoutMs" | "onGap"
> {
  /** Where it begins (`head`). */
  from?: StartFrom
}

/** A follower at work. */
export interface Follower {
  /** Resolves when it knows where it begins: every later event is its. */
  ready: Promise<void>
  wake(): void
  /** The log was set back: goes on from its end where it was beyond. */
  startOver(): void
  /** Cuts short what runs, and ends. Idempotent. */
  stop(): Promise<void>
}

/** What a follower needs. */
export interface FollowerServices {
  pool: Pool
  read: ReadLog
  log: Log
  /** It reads nothing before this resolves. */
  begin: Promise<void>
}

/** Starts a follower. What its run throws is logged, and the next event follows. */
export function startFollower(
  options: FollowOptions,
  { pool, read, log: parent, begin }: FollowerServices,
): Follower {
  const { name, tenant, matches, from = "head" } = options
  const log = parent.child({ consumer: name })
  const waker = createWaker()
  const stopped = new AbortController()
  let isSetBack = false
  const ended = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<void>()
  const ours = (event: LoggedEvent) => tenant === everyTenant || event.tenant === tenant

  async function follow(): Promise<void> {
    let position = typeof from === "number" ? from : undefined
    await Promise.race([begin, ended.promise])
    while (!stopped.signal.aborted) {
      try {
        position ??= from === "earliest" ? (await logBounds(pool)).first - 1 : await logHead(pool)
        ready.resolve()
        if (isSetBack) position = await returned(position)
        const { items, upTo } = await read(position)
        if (isSetBack) continue
        for (const item of items) {
          if (stopped.signal.aborted) return
          if ("to" in item) await tell(item)
          else if (ours(item)) await hand(item)
          position = "to" in item ? item.to : item.position
        }
        if (upTo === position && items.length === 0) await waker.sleep(Infinity)
        position = upTo
      } catch (error) {
        log.warn({ err: error }, "the log cannot be read; trying again")
        await sleep(1_000, undefined, { signal: stopped.signal }).catch(() => {})
      }
    }
  }

  /** Where to go on; nobody knows which of the events that took the places of others it has not had. */
  async function returned(before: number): Promise<number> {
    const position = Math.min(before, await logHead(pool))
    isSetBack = false
    log.error(
      { from: before, position },
      "the log was set back: this callback goes on from here, and may miss events",
    )
    return position
  }

  async function tell({ from: first, to }: Hole): Promise<void> {
    log.error({ from: first, to }, "retention has passed this callback: events are missing")
    try {
      const { timeoutMs } = options
      const gap = { from: first, to, partition: 0 }
      await inTime("to be told of a gap", { timeoutMs, stop: stopped.signal }, () => options.onGap?.(gap))
    } catch (error) {
      if (!stopped.signal.aborted)
        log.error({ err: error }, "a callback failed at being told what is missing")
    }
  }

  async function hand(event: LoggedEvent): Promise<void> {
    try {
      if (matches(event)) await runOnce(options, event, { attempt: 1, replayId: null }, log, stopped.signal)
    } catch (error) {
      if (!stopped.signal.aborted)
        log.error(
          { err: error, event: event.id },
          "a callback failed; it has no name, so the event is not kept for it",
        )
    }
  }

  const following = follow()
  return {
    ready: ready.promise,
    wake: waker.wake,
    startOver() {
      isSetBack = true
      waker.wake()
    },
    stop() {
      stopped.abort()
      ended.resolve()
      waker.wake()
      return following
    },
  }
}
