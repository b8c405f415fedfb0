import { setTimeout as sleep } from "node:timers/promises"
import type { LoggedEvent } from "../core/envelope.ts"
import { eventWeight } from "../core/event-weight.ts"
import { moveCursors, type Cursor, type TakenLease } from "../store/consumer-leases.ts"
import { interruptedAttempts, takeDue, type Settlement } from "../store/deliveries.ts"
import { retryAllLeft } from "../store/held-deliveries.ts"
import { readLoggedEvents } from "../store/log-scan.ts"
import { nextDue, takeReplayed } from "../store/replayed-deliveries.ts"
import { attemptEvent } from "./attempt-event.ts"
import { createDueWork } from "./due-work.ts"
import { createEntityOrder } from "./entity-order.ts"
import { createLane } from "./lane.ts"
import { orderKey } from "./order-key.ts"
import type { ReadLog } from "./log-window.ts"
import { paceOf } from "./pace.ts"
import { placeOf, refused } from "./place.ts"
import { readAhead } from "./read-ahead.ts"
import { createRecovery } from "./recover.ts"
import { handedBack, heldBack } from "./settlements.ts"
import type { RetryPolicy } from "./retry-policy.ts"
import { runEvent } from "./run-event.ts"
import { createTakeStretch } from "./take-stretch.ts"
import { createWaker } from "./waker.ts"
import { mayBeWantedBy } from "./wanted-by.ts"
import { within } from "./within.ts"
import { settledUnder, workKey, type Work } from "./work.ts"
import { createWriter } from "./write-settlement.ts"
import type { AnyDefinition, PartitionWorker, WorkerServices } from "./worker-services.ts"

const duePageSize = 8 // each is read whole
const graceMs = 1_000
const pausesMs = { shortest: 100, longest: 5_000 }
const maxBytes = 1 << 20 // of a page of what is replayed

/** Starts a worker. */
export function startPartitionWorker(
  lease: TakenLease,
  definition: AnyDefinition,
  policy: RetryPolicy,
  services: WorkerServices,
): PartitionWorker {
  const { pool, ledger, clock } = services
  const log = services.log.child({ consumer: definition.name, partition: lease.partition })
  const delivery = "attempt" in definition ? definition : undefined
  const skips = delivery?.skips === true
  const pace = paceOf(definition)
  const mayWant = mayBeWantedBy(definition)
  const readWanted = (after: number) => services.read(after, mayWant)
  let read: ReadLog = readWanted
  const waker = createWaker()
  const ending = new AbortController() // begins nothing new
  const cut = new AbortController() // ends the runs
  const gone = new AbortController() // ends the writing too
  let position = lease.position
  let saved = lease.position
  let pauseMs = pausesMs.shortest
  let fault: unknown
  let stopping: Promise<void> | undefined

  const write = createWriter({
    lease,
    kind: definition.kind,
    ledger,
    log,
    signal: gone.signal,
    onLost: abandon,
  })
  const order = delivery?.ordered === true ? createEntityOrder(pool, lease, clock, noteDue) : undefined
  const holding = new Set<Promise<void>>() // what is being written as held
  const lane = createLane<Work, Settlement | undefined>({
    ...pace,
    sizeOf: ({ event }) => eventWeight(event),
    keyOf: ({ event }) => (delivery !== undefined && order === undefined ? event.id : orderKey(event)),
    ready: () => services.alive() && (delivery?.gate.open() ?? true),
    run,
    onLaterRoom: waker.wake,
    async settle(work, settlement) {
      await write(settlement === undefined ? handBack(work) : settledUnder(work.replayId, settlement))
      if (settlement?.nextAttemptAt !== undefined) noteDue(settlement.nextAttemptAt)
      await order?.settled(work).catch(startOver)
    },
  })
  const dueWork = {
    pool,
    look,
    clock,
    order,
    wake: waker.wake,
    hold,
    allHeld: () => Promise.all(holding),
    write,
    onGone: () => startOver(new Error("an event that others may wait for is gone")),
  }
  const due = createDueWork({
    ...dueWork,
    takeDue: (now) => takeDue(pool, lease, now, duePageSize),
    run: lane.push,
  })
  const replayed = createDueWork({
    ...dueWork,
    takeDue: (now) => takeReplayed(pool, lease, now, { limit: pace.replayPageSize, maxBytes }),
    run: lane.pushLater,
  })
  const recover = createRecovery({
    services,
    lease,
    policy,
    log,
    signal: ending.signal,
    eventOf,
    write,
    async runAlone(work) {
      lane.push([work])
      await lane.idle()
    },
  })
  const take = createTakeStretch({
    pool,
    lease,
    definition,
    skips,
    pageSize: pace.pageSize,
    ledger,
    lane,
    order,
    hold,
    written: () => saved,
    onMoved(upTo, isWritten) {
      position = upTo
      if (isWritten) saved = upTo
    },
    onRefused: () => refused(pool, lease, abandon),
    log,
    signal: ending.signal,
    stop: cut.signal,
  })
  const leaveGate = delivery?.gate.attend(lane.pump)

  async function run(work: Work): Promise<Settlement | undefined> {
    const { signal } = cut
    if (!("attempt" in definition)) return runEvent(definition, work, { ...services, policy, signal })
    const settlement = await attemptEvent(definition, work, { ...services, signal })
    if (order === undefined || settlement === undefined) return settlement
    const decided = order.decided(work, settlement)
    const key = workKey(work)
    if (decided.status === "retrying") lane.withdraw((other) => workKey(other) === key).forEach(hold)
    return decided
  }

  function hold(work: Work): void {
    const putBack = () => write(settledUnder(work.replayId, heldBack(work, clock())))
    const held = order?.putBack(work, putBack).catch(startOver)
    if (held === undefined) return
    holding.add(held)
    void held.finally(() => holding.delete(held))
  }

  function handBack(work: Work): Settlement {
    const settlement = settledUnder(work.replayId, handedBack(work.event.id, work.attempt, clock()))
    return order === undefined ? settlement : { ...settlement, orderKey: workKey(work) }
  }

  async function look(): Promise<void> {
    const { dueAt, replayedAt } = await nextDue(pool, lease)
    if (dueAt !== null) due.note(dueAt)
    if (replayedAt !== null) replayed.note(replayedAt)
  }

  /** Whichever it is: an early word costs a query. */
  function noteDue(at: Date): void {
    due.note(at)
    replayed.note(at)
  }

  /** What is held is read anew where something of it could not be. */
  function startOver(error: unknown): void {
    fault ??= error
    waker.wake()
  }

  async function workOn(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await open()
        await follow()
      } catch (error) {
        log.warn({ err: error }, "a consumer could not go on and starts over from what is written")
        // A statement whose answer was lost may have taken hold: the database alone knows what is begun.
        await lane.idle()
        await Promise.all(holding)
        fault = undefined
        await sleep(pauseMs, undefined, { signal: cut.signal }).catch(() => {})
        pauseMs = Math.min(2 * pauseMs, pausesMs.longest)
      }
    }
  }

  async function open(): Promise<void> {
    await services.checkLog()
    const stored = await placeOf(pool, lease, log)
    if (stored === undefined) return abandon()
    position = saved = stored
    read = pace.readsAhead ? readAhead(readWanted) : readWanted // anew: what was read ahead may be of another log
    if (delivery !== undefined) {
      await retryAllLeft(pool, lease, "running", clock())
      if (order === undefined) await retryAllLeft(pool, lease, "held", clock())
      await order?.load()
    }
    for (const attempt of await interruptedAttempts(pool, lease)) {
      if (ending.signal.aborted) return
      await recover(attempt)
    }
    await look()
  }

  async function follow(): Promise<void> {
    while (!ending.signal.aborted) {
      await lane.room()
      if (fault !== undefined) throw fault
      // All of it before anything new: what the holder before us handed back is older than that.
      if (!skips && clock().getTime() >= due.at() && (await due.take()) > 0) continue
      if (ending.signal.aborted) return
      const stretch = await read(position)
      if (fault !== undefined) throw fault
      const grew = stretch.upTo > position
      if (grew) await take(stretch)
      const tookReplayed = !skips && clock().getTime() >= nextReplayedAt() && (await replayed.take()) > 0
      pauseMs = pausesMs.shortest // not before: what fails may be in the stretch
      if (grew || tookReplayed) continue
      await waker.sleep(skips ? Infinity : Math.min(due.at(), nextReplayedAt()) - clock().getTime())
    }
  }

  /** Of what is replayed, the lane takes no more than a little: what is new is to find room. */
  function nextReplayedAt(): number {
    return lane.hasLaterRoom() && !ending.signal.aborted ? replayed.at() : Infinity
  }

  async function eventOf(eventId: string): Promise<LoggedEvent | undefined> {
    const [event] = await readLoggedEvents(pool, [eventId])
    return event
  }

  function unsaved(): Cursor | undefined {
    return position > saved ? { ...lease, position, written: saved } : undefined
  }

  function abandon(): void {
    ending.abort()
    cut.abort()
    gone.abort()
    lane.close()
    waker.wake()
    leaveGate?.()
  }

  async function finish(unstarted: Work[]): Promise<void> {
    await working
    unstarted.push(...lane.close()) // what was begun while we were asked to stop
    await lane.idle()
    await Promise.all(holding)
    await Promise.all(unstarted.map((work) => write(handBack(work))))
    const cursor = unsaved()
    if (cursor !== undefined && !gone.signal.aborted) await moveCursors(pool, [cursor])
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
    leaveGate?.()
  }

  const working = workOn()
  return {
    lease,
    wake() {
      lane.pump()
      waker.wake()
    },
    noteDue,
    startOver,
    noteSaved(upTo) {
      saved = Math.max(saved, upTo)
    },
    unsavedCursor: () => (ending.signal.aborted ? undefined : unsaved()),
    stop: (deadline) => (stopping ??= stop(deadline)),
    abandon,
  }
}
