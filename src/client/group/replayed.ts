import { wait } from "../backoff.ts"
import type { MemberCalls, Replayed } from "./calls.ts"
import type { Lanes } from "./lanes.ts"
import type { GroupOptions, HandleGroupEvent } from "./options.ts"

/** For so long what is taken is this member's, should it fall silent; what it goes on with, nobody else is given. */
const heldSeconds = 60
const takenAtOnce = 20
const idleMs = 2_000
/** For a call that gives events back, which must not reach the hub once their time is over. */
const giveBackMs = 10_000

export interface ReplayedOptions extends Pick<GroupOptions, "onError"> {
  calls: Pick<MemberCalls, "takeReplayed" | "settleReplayed">
  lanes: Pick<Lanes, "read" | "inTurn">
  handle: HandleGroupEvent
  /** Calls until it succeeds; undefined once `until` is aborted. */
  insist: <T>(call: (signal: AbortSignal) => Promise<T>, until: AbortSignal) => Promise<T | undefined>
  /** Takes nothing more once it is aborted; what runs is still settled before `over`. */
  stopping: AbortSignal
  over: AbortSignal
}

/** Asks for what replays hand to the group in this member's partitions, and handles it; throws what ends the run. */
export async function keepReplaying(options: ReplayedOptions): Promise<void> {
  const { calls, lanes, handle, insist, onError, stopping, over } = options

  async function handleOne({ event, partition, attempt, replayId }: Replayed, signal: AbortSignal) {
    let failure: string | undefined
    try {
      await handle(event, { partition, attempt, signal, replay: true, replayId })
    } catch (error) {
      if (signal.aborted) return
      const verdict = onError?.(error, event, attempt) ?? "retry"
      if (verdict === "stop") throw error
      if (verdict === "retry") failure = textOf(error)
    }
    if (signal.aborted) return // whoever holds the partition now is handed it again
    const settled =
      failure === undefined
        ? { done: [event.id] }
        : { failed: [{ eventId: event.id, error: failure.slice(0, 2_000) }] }
    await insist((s) => calls.settleReplayed(settled, s), over)
  }

  /** In the order of the log, as long as the partition is held. */
  async function handleAll(taken: readonly Replayed[], takenAt: number): Promise<void> {
    for (const [index, one] of taken.entries()) {
      let isBegun = false
      const isDone = await lanes.inTurn(one.partition, (signal) => {
        isBegun = true
        return handleOne(one, signal)
      })
      if (isDone) continue
      await giveBack(taken.slice(isBegun ? index + 1 : index), takenAt)
      return
    }
  }

  /** Makes what was not begun due again soon; where that does not succeed it is once its time is over. */
  async function giveBack(notBegun: readonly Replayed[], takenAt: number): Promise<void> {
    const mayBeOthers = performance.now() - takenAt > heldSeconds * 1_000 - giveBackMs
    const failed = notBegun
      .filter(({ attempt }) => attempt === 1) // a later one might be the last, and the event a dead letter
      .map(({ event }) => ({ eventId: event.id, error: "a member had taken it and did not begin it" }))
    if (mayBeOthers || failed.length === 0) return
    const until = AbortSignal.any([over, AbortSignal.timeout(giveBackMs)])
    await calls.settleReplayed({ failed }, until).catch(() => {})
  }

  while (!stopping.aborted) {
    const isIdle = lanes.read().length === 0
    const takenAt = performance.now()
    const taken = isIdle ? [] : await insist((s) => calls.takeReplayed(takenAtOnce, heldSeconds, s), stopping)
    if (taken === undefined) return
    if (taken.length === 0) await wait(idleMs, stopping)
    const partitions = [...new Set(taken.map(({ partition }) => partition))]
    await Promise.all(
      partitions.map((of) =>
        handleAll(
          taken.filter(({ partition }) => partition === of),
          takenAt,
        ),
      ),
    )
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
