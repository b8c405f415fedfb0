import { backoffMs, wait } from "../backoff.ts"
import type { Assignment, Fetched, Place } from "./calls.ts"
import type { GroupEvent, GroupOptions, HandleGroupEvent } from "./options.ts"

interface Lane {
  partition: number
  generation: number
  /** By performance.now(), when it came to be known. */
  since: number
  /** Not done yet, the one that is being handled first. */
  queue: GroupEvent[]
  /** Up to where it was fetched, done, and committed. */
  read: number
  done: number
  committed: number
  isBusy: boolean
  /** Replayed events that are being handled or wait for their turn. */
  replaying: number
  /** Resolves when whatever is being handled is done. */
  turn: Promise<unknown>
  /** To be given back once what is being handled is done. */
  isRevoked: boolean
  ended: AbortController
}

/** The partitions of a member, each worked on in its order, all side by side. */
export interface Lanes {
  /** Where they were fetched to. */
  read(): Place[]
  /** Events that wait or are being handled. */
  waiting(): number
  /** Partitions with more than their part of `most` such events. */
  full(most: number): number[]
  take(fetched: Fetched): void
  /** Runs something for a partition while no other event of it is handled; false where it is not held any more. */
  inTurn(partition: number, run: (signal: AbortSignal) => Promise<void>): Promise<boolean>
  /** By an answer to what was asked at `askedAt` (performance.now()); false where that may be older than what is known. */
  assign(assignment: Assignment, askedAt: number): boolean
  /** What is done and not committed, and what is to be given back with that. */
  due(): { positions: Place[]; release: Place[] }
  committed(positions: readonly Place[], release: readonly Place[]): void
  /** Starts no event any more; resolves when none is being handled. */
  finish(): Promise<void>
  /** Drops everything: it belongs to others. */
  drop(): void
}

export interface LanesOptions extends Pick<GroupOptions, "onError" | "onAssignment"> {
  handle: HandleGroupEvent
  /** Resolves as soon as the membership is known to be good. */
  good: () => Promise<void>
  /** Told whenever something was done, or there is room. */
  onProgress: () => void
  /** Told what ends the run. */
  onStop: (error: unknown) => void
}

/** Makes the lanes of a member. */
export function createLanes(options: LanesOptions): Lanes {
  const { handle, good, onError, onAssignment, onProgress, onStop } = options
  const lanes = new Map<number, Lane>()
  const past = new Map<number, number>() // generations that are over, by partition
  const running = new Set<Promise<void>>()
  let isFinishing = false
  let isFailed = false
  let told = ""

  function laneOf({ partition, generation }: Omit<Place, "position">): Lane | undefined {
    const known = lanes.get(partition)
    if (known?.generation === generation) return known
    if (generation <= (past.get(partition) ?? -1) || generation < (known?.generation ?? 0)) return undefined
    if (known !== undefined) end(known)
    const lane: Lane = {
      partition,
      generation,
      since: performance.now(),
      queue: [],
      read: 0,
      done: 0,
      committed: 0,
      isBusy: false,
      replaying: 0,
      turn: Promise.resolve(),
      isRevoked: false,
      ended: new AbortController(),
    }
    lanes.set(partition, lane)
    return lane
  }

  function end(lane: Lane): void {
    if (lanes.get(lane.partition) === lane) lanes.delete(lane.partition)
    past.set(lane.partition, lane.generation)
    lane.ended.abort()
  }

  function tell(): void {
    const partitions = [...lanes.keys()].toSorted((a, b) => a - b)
    if (partitions.join() === told) return
    told = partitions.join()
    onAssignment?.(partitions)
  }

  function pump(lane: Lane): void {
    if (lane.isBusy) return
    lane.isBusy = true
    const run = workOn(lane).catch((error: unknown) => {
      isFailed = true
      onStop(error)
    })
    running.add(run)
    void run.finally(() => {
      running.delete(run)
      lane.isBusy = false
      if (lane.queue.length > 0 && mayGoOn(lane)) pump(lane) // more came as it ended
      onProgress()
    })
  }

  function mayGoOn(lane: Lane): boolean {
    return !isFailed && !isFinishing && !lane.isRevoked && !lane.ended.signal.aborted
  }

  async function workOn(lane: Lane): Promise<void> {
    for (let event = lane.queue[0]; event !== undefined && mayGoOn(lane); event = lane.queue[0]) {
      if (!(await takeTurn(lane, () => handleOne(lane, event)))) break
      lane.queue.shift()
      lane.done = event.position
      onProgress()
    }
    if (lane.isRevoked) lane.queue = []
  }

  /** Events of one entity are never handled side by side, replayed or not. */
  function takeTurn<T>(lane: Lane, run: () => Promise<T>): Promise<T> {
    const result = lane.turn.then(run)
    lane.turn = result.catch(() => {})
    return result
  }

  async function replay(lane: Lane, run: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    await good()
    if (!mayGoOn(lane)) return false
    await run(lane.ended.signal)
    return !lane.ended.signal.aborted
  }

  /** Whether it is done with, well or not; false too where it may not begin, or go on, any more. */
  async function handleOne(lane: Lane, event: GroupEvent): Promise<boolean> {
    const { partition, ended } = lane
    const { signal } = ended
    for (let attempt = 1; ; attempt++) {
      await good() // the turn, or the pause, may have been long in coming
      if (!mayGoOn(lane)) return false
      try {
        await handle(event, { partition, attempt, signal, replay: false, replayId: null })
        return !signal.aborted
      } catch (error) {
        if (signal.aborted) return false
        const verdict = onError?.(error, event, attempt) ?? "retry"
        if (verdict === "skip") return true
        if (verdict === "stop") throw error
        await wait(backoffMs(attempt, 0), signal)
      }
    }
  }

  function settled(lane: Lane): number {
    return lane.queue.length === 0 && !lane.isRevoked ? Math.max(lane.done, lane.read) : lane.done
  }

  return {
    read: () =>
      Array.from(lanes.values(), ({ partition, generation, read }) => ({
        partition,
        generation,
        position: read,
      })),
    waiting: () => [...lanes.values()].reduce((sum, { queue }) => sum + queue.length, 0),
    full: (most) =>
      Array.from(lanes.values())
        .filter(({ queue }) => queue.length * lanes.size >= most)
        .map(({ partition }) => partition),
    take({ events, positions }) {
      const fresh = new Map<number, Lane>()
      for (const { position, ...of } of positions) {
        const lane = laneOf(of)
        if (lane === undefined || lane.isRevoked || lane.read >= position) continue
        fresh.set(of.partition, lane)
      }
      for (const { partition, event } of events) {
        const lane = fresh.get(partition)
        if (lane !== undefined && event.position > lane.read) lane.queue.push(event)
      }
      for (const { partition, position } of positions) {
        const lane = fresh.get(partition)
        if (lane === undefined) continue
        lane.read = position
        pump(lane)
      }
      tell()
    },
    async inTurn(partition, run) {
      const lane = lanes.get(partition)
      if (lane === undefined || !mayGoOn(lane)) return false
      lane.replaying++
      const replaying = takeTurn(lane, () => replay(lane, run))
      const ended = Promise.withResolvers<void>()
      running.add(ended.promise)
      try {
        return await replaying
      } finally {
        ended.resolve()
        running.delete(ended.promise)
        lane.replaying--
        onProgress()
      }
    },
    assign({ assignments, revoking }, askedAt) {
      const held = new Map(assignments.map((place) => [place.partition, place.generation]))
      let isTimely = true
      for (const lane of lanes.values()) {
        const generation = held.get(lane.partition)
        if (generation === lane.generation) continue
        const isLate = generation === undefined ? lane.since >= askedAt : generation < lane.generation
        if (isLate) isTimely = false
        else end(lane)
      }
      for (const place of assignments) {
        const lane = laneOf(place)
        if (lane === undefined || !revoking.includes(place.partition)) continue
        lane.isRevoked = true
        if (!lane.isBusy) lane.queue = []
      }
      tell()
      onProgress()
      return isTimely
    },
    due() {
      const all = [...lanes.values()]
      const release = all.filter(
        ({ isRevoked, isBusy, replaying }) => isRevoked && !isBusy && replaying === 0,
      )
      const moved = all.filter((lane) => settled(lane) > lane.committed)
      return {
        positions: moved.map((lane) => ({
          partition: lane.partition,
          generation: lane.generation,
          position: settled(lane),
        })),
        release: release.map(({ partition, generation }) => ({ partition, generation, position: 0 })),
      }
    },
    committed(positions, release) {
      for (const { partition, generation, position } of positions) {
        const lane = lanes.get(partition)
        if (lane?.generation === generation) lane.committed = Math.max(lane.committed, position)
      }
      for (const { partition, generation } of release) {
        const lane = lanes.get(partition)
        if (lane?.generation === generation) end(lane)
      }
      tell()
    },
    async finish() {
      isFinishing = true
      while (running.size > 0) await Promise.all(running)
    },
    drop() {
      for (const lane of lanes.values()) end(lane)
      tell()
    },
  }
}
