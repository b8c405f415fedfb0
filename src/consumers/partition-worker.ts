import { setTimeout as sleep } from "node:timers/promises"
import type { LoggedEvent } from "../core/envelope.ts"
import { eventWeight } from "../core/event-weight.ts"
import { leasedPosition, moveCursors, type Cursor, type TakenLease } from "../store/consumer-leases.ts"
import {
  interruptedAttempts,
  nextDue,
  repeatAttempt,
  takeDue,
  type InterruptedAttempt,
} from "../store/deliveries.ts"
import { readLoggedEvents } from "../store/log-scan.ts"
import { everyTenant, type ConsumerDefinition } from "./definition.ts"
import { createLane } from "./lane.ts"
import { lost } from "./ledger.ts"
import type { Stretch } from "./log-window.ts"
import { orderKey, partitionOf } from "./partition-of.ts"
import { goneForGood, handedBack, interruptedForGood } from "./settlements.ts"
import type { RetryPolicy } from "./retry-policy.ts"
import { runEvent } from "./run-event.ts"
import { createWaker } from "./waker.ts"
import { within } from "./within.ts"
import { createWriter } from "./write-settlement.ts"
import type { WorkerServices } from "./worker-services.ts"

/** Works on one partition of one consumer for as long as it holds the lease. */
export interface PartitionWorker {
  lease: TakenLease
  /** Says that the log may have grown. */
  wake(): void
  /** Says that a delivery is due at a time; an early word costs a query, a missed one is said again. */
  noteDue(at: Date): void
  /** How far it has read, where that is further than what is written. */
  unsavedCursor(): Cursor | undefined
  noteSaved(upTo: number): void
  /** Finishes what runs, gives back what does not run yet, and cuts short what runs past `deadline`. */
  stop(deadline: AbortSignal): Promise<void>
  /** Drops everything where it stands: the lease belongs to somebody else. */
  abandon(): void
}

interface Work {
  event: LoggedEvent
  attempt: number
}

const pageSize = 64
const retryPageSize = 8 // each is read whole
const maxUnsettled = 256
const maxBytes = 8 << 20
const fatalAlone = 2 // one end of a process may be another's doing: a neighbour partition, a signal
const graceMs = 1_000
const longestPauseMs = 5_000

/** Starts a worker. */
export function startPartitionWorker(
  lease: TakenLease,
  definition: ConsumerDefinition,
  policy: RetryPolicy,
  services: WorkerServices,
): PartitionWorker {
  const { pool, ledger, read, clock } = services
  const log = services.log.child({ consumer: definition.name, partition: lease.partition })
  const waker = createWaker()
  const ending = new AbortController() // begins nothing new
  const cut = new AbortController() // ends the runs
  const gone = new AbortController() // ends the writing too
  let position = lease.position
  let saved = lease.position
  let dueAt = Infinity
  let stopping: Promise<void> | undefined
  const unmade = new Map<string, number>() // attempts that may be counted already, by event, and were not made

  const write = createWriter({
    lease,
    kind: definition.kind,
    ledger,
    log,
    signal: gone.signal,
    onLost: abandon,
  })
  const lane = createLane<Work, Awaited<ReturnType<typeof runEvent>>>({
    concurrency: definition.concurrency ?? 1,
    lowWater: pageSize / 2,
    maxUnsettled,
    maxBytes,
    sizeOf: ({ event }) => eventWeight(event),
    keyOf: ({ event }) => orderKey(event),
    ready: services.alive,
    run: ({ event, attempt }) =>
      runEvent(definition, event, attempt, { ...services, policy, signal: cut.signal }),
    async settle({ event, attempt }, settlement) {
      await write(settlement ?? handedBack(event.id, attempt, clock()))
      if (settlement?.nextAttemptAt !== undefined) noteDue(settlement.nextAttemptAt)
    },
  })

  async function work(): Promise<void> {
    let pauseMs = 100
    while (!ending.signal.aborted) {
      try {
        await open()
        pauseMs = 100
        await follow()
      } catch (error) {
        log.warn({ err: error }, "a consumer could not go on and starts over from what is written")
        // A statement whose answer was lost may have taken hold: the database alone knows what is begun.
        await lane.idle()
        await sleep(pauseMs, undefined, { signal: cut.signal }).catch(() => {})
        pauseMs = Math.min(2 * pauseMs, longestPauseMs)
      }
    }
  }

  async function open(): Promise<void> {
    const stored = await leasedPosition(pool, lease)
    if (stored === undefined) return abandon()
    position = saved = stored
    for (const attempt of await interruptedAttempts(pool, lease)) {
      if (ending.signal.aborted) return
      await recover(attempt)
    }
    const due = await nextDue(pool, lease)
    if (due !== null) noteDue(due)
  }

  /** Runs alone what a holder before us left unfinished: it may be what ended that holder. */
  async function recover({ eventId, attempts, alone }: InterruptedAttempt): Promise<void> {
    const counted = unmade.get(eventId) === attempts
    if (!counted && attempts >= policy.attempts && alone >= fatalAlone) {
      log.error(
        { event: eventId, attempts },
        "its process ended again and again while it ran: see dead_letters",
      )
      return write(interruptedForGood(eventId, attempts, clock()))
    }
    const runAlone = async (): Promise<void> => {
      if (ending.signal.aborted) return
      const event = await eventOf(eventId)
      if (event === undefined) return write(goneForGood(eventId, attempts, clock()))
      const attempt = counted ? attempts : attempts + 1
      unmade.set(eventId, attempt)
      if (!counted && !(await repeatAttempt(pool, lease, eventId)))
        throw new Error("an attempt could not be repeated")
      unmade.delete(eventId)
      lane.push([{ event, attempt }])
      await lane.idle()
    }
    // Under suspicion by now, and where it ends this process again, no other suspect shall be counted for it.
    await (attempts > 1 ? services.oneSuspectAtATime(runAlone) : runAlone())
  }

  async function follow(): Promise<void> {
    while (!ending.signal.aborted) {
      await lane.room()
      // All of it before anything new: what the holder before us handed back is older than that.
      if (clock().getTime() >= dueAt && (await retryDue()) > 0) continue
      if (ending.signal.aborted) return
      const stretch = await read(position)
      if (stretch.upTo > position) await take(stretch)
      else await waker.sleep(dueAt - clock().getTime())
    }
  }

  async function take({ items, upTo }: Stretch): Promise<void> {
    let mine: LoggedEvent[] = []
    for (const item of items) {
      if ("to" in item) log.error(item, "retention has passed this consumer: events are missing")
      else if (wants(item)) mine.push(item)
      if (mine.length === pageSize && !("to" in item)) {
        await begin(mine, item.position)
        mine = []
        await lane.room()
      }
      if (ending.signal.aborted) return
    }
    if (mine.length > 0) await begin(mine, upTo)
    else position = upTo
  }

  async function begin(mine: readonly LoggedEvent[], upTo: number): Promise<void> {
    const events = mine.map(({ id, tenant, position: at }) => ({ eventId: id, tenant, position: at }))
    const begun = await ledger.begin({ lease, upTo, events })
    if (begun === lost) return abandon()
    position = saved = upTo
    lane.push(mine.filter(({ id }) => begun.has(id)).map((event) => ({ event, attempt: 1 })))
  }

  function wants(event: LoggedEvent): boolean {
    if (definition.tenant !== everyTenant && event.tenant !== definition.tenant) return false
    if (lease.partitions > 1 && partitionOf(orderKey(event), lease.partitions) !== lease.partition)
      return false
    try {
      return definition.matches(event)
    } catch {
      return true // the run asks again, and puts the error down to this event
    }
  }

  /** Takes up some of what is due, and answers how many. */
  async function retryDue(): Promise<number> {
    dueAt = Infinity
    const due = await takeDue(pool, lease, clock(), retryPageSize)
    for (const { eventId, attempts } of due) {
      const event = await eventOf(eventId)
      if (event === undefined) await write(goneForGood(eventId, attempts, clock()))
      else lane.push([{ event, attempt: attempts }])
    }
    const next = await nextDue(pool, lease)
    if (next !== null) noteDue(next)
    return due.length
  }

  async function eventOf(eventId: string): Promise<LoggedEvent | undefined> {
    const [event] = await readLoggedEvents(pool, [eventId])
    return event
  }

  function noteDue(at: Date): void {
    if (at.getTime() >= dueAt) return
    dueAt = at.getTime()
    waker.wake()
  }

  function abandon(): void {
    ending.abort()
    cut.abort()
    gone.abort()
    lane.close()
    waker.wake()
  }

  async function finish(unstarted: Work[]): Promise<void> {
    await working
    unstarted.push(...lane.close()) // what was begun while we were asked to stop
    await lane.idle()
    await Promise.all(unstarted.map(({ event, attempt }) => write(handedBack(event.id, attempt, clock()))))
    if (position > saved && !gone.signal.aborted) await moveCursors(pool, [{ ...lease, position }])
  }

  async function stop(deadline: AbortSignal): Promise<void> {
    ending.abort()
    waker.wake()
    const finished = finish(lane.close()).catch((error: unknown) => {
      log.warn(
        { err: error },
        "a consumer could not write where it stopped: its next holder repeats a little",
      )
    })
    if (!(await within(finished, deadline))) {
      cut.abort()
      await within(finished, AbortSignal.timeout(graceMs))
    }
    gone.abort()
  }

  const working = work()
  return {
    lease,
    wake() {
      lane.pump()
      waker.wake()
    },
    noteDue,
    noteSaved(upTo) {
      saved = Math.max(saved, upTo)
    },
    unsavedCursor: () => (position > saved && !ending.signal.aborted ? { ...lease, position } : undefined),
    stop: (deadline) => (stopping ??= stop(deadline)),
    abandon,
  }
}
