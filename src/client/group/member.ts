import { backoffMs, wait } from "../backoff.ts"
import { SignalboxClientError } from "../errors.ts"
import type { Joined } from "./calls.ts"
import { createLanes } from "./lanes.ts"
import { keepReplaying } from "./replayed.ts"
import type { GroupOptions, HandleGroupEvent } from "./options.ts"

/** Why a membership came to its end. */
export type MembershipEnd =
  /** As was asked. */
  | { kind: "left" }
  /** The hub knows the member no more. */
  | { kind: "lost"; error: SignalboxClientError }

const longestWaitMs = 20_000
/** Whoever gets nothing hears after so long what the log has passed over, and commits that: the lag is of interest. */
const longestFetchWaitMs = 5_000
/** Waits shorter than this the hub makes longer. */
const shortestFetchWaitMs = 1_000
const shortestSpareMs = 1_000
const longestSpareMs = 10_000
/** For an answer that has begun: a single event may have 25 MB. */
const longestBodyMs = 120_000
const finishMs = 10_000
/** After so long, partitions that go on are not left waiting for those that do not. */
const patienceMs = 250
const shortWaitMs = 1_000

/** Works as a member until `signal` is aborted or the membership is lost; throws what ends the whole run. */
export async function workAsMember(
  { sessionMs, calls }: Joined,
  handle: HandleGroupEvent,
  options: GroupOptions,
  signal: AbortSignal,
): Promise<MembershipEnd> {
  const { batch = 100, commitEveryMs = 50, onGap, onRetry } = options
  // A call that vanished is missed long before the session is over, as long as others get through.
  const mostWaitMs = Math.floor(sessionMs / 3)
  const fetchWaitMs = Math.min(longestFetchWaitMs, Math.max(shortestFetchWaitMs, mostWaitMs))
  /** Beyond the wait, after which an answer that has not begun is not awaited any more. */
  const spareMs = Math.min(longestSpareMs, Math.max(shortestSpareMs, Math.floor(sessionMs / 4)))
  const over = new AbortController() // ends the calls
  const stopping = AbortSignal.any([signal, over.signal])
  let contactAt = performance.now()
  let contact = Promise.withResolvers<void>()
  let progress = Promise.withResolvers<void>()
  let probing: Promise<void> | undefined
  let fault: { error: unknown } | undefined

  function fail(error: unknown): void {
    fault ??= { error }
    over.abort()
  }

  function tellProgress(): void {
    progress.resolve()
    progress = Promise.withResolvers()
  }

  const lanes = createLanes({
    ...options,
    handle,
    // The hub renews sessions at half-time: whoever has not heard of it for so long may have been taken for dead,
    // and another have its partitions.
    async good() {
      while (performance.now() - contactAt > sessionMs / 2 && !over.signal.aborted) {
        await Promise.race([(probing ??= probe()), contact.promise])
      }
    },
    onProgress: tellProgress,
    onStop: fail,
  })
  signal.addEventListener("abort", tellProgress, { once: true, signal: over.signal })
  over.signal.addEventListener("abort", () => {
    tellProgress()
    contact.resolve()
  })

  /** Calls until it succeeds; undefined once `until` is aborted. Throws where no other try would do better. */
  async function insist<T>(
    call: (callSignal: AbortSignal, begun: () => void) => Promise<T>,
    limitMs: number,
    until: AbortSignal,
  ): Promise<T | undefined> {
    for (let attempt = 1; !until.aborted; attempt++) {
      const tooLate = new AbortController()
      const late = tooLate.signal
      const end = () => tooLate.abort()
      let timer = setTimeout(end, limitMs)
      const begun = () => {
        clearTimeout(timer)
        timer = setTimeout(end, longestBodyMs)
      }
      const asked = performance.now()
      try {
        const answer = await call(AbortSignal.any([until, late]), begun)
        contactAt = Math.max(contactAt, asked)
        contact.resolve()
        contact = Promise.withResolvers()
        return answer
      } catch (error) {
        if (until.aborted) return undefined
        const known = error instanceof SignalboxClientError
        if ((known && !error.retryable) || (!known && !late.aborted)) throw error
        const problem = known ? error : new SignalboxClientError("unreachable", "no answer came in time")
        onRetry?.(problem)
        await wait(backoffMs(attempt, problem.retryAfterMs ?? 0), until)
      } finally {
        clearTimeout(timer)
      }
    }
    return undefined
  }

  /** Asks what this member holds, now or once that is another than `known`; answers its version where that can be relied on. */
  async function learn(
    waitMs: number,
    known: string | undefined,
    until: AbortSignal,
  ): Promise<string | undefined> {
    let askedAt = 0
    const told = await insist(
      async (s) => {
        askedAt = performance.now()
        return calls.heartbeat(waitMs / 1000, known, s)
      },
      waitMs + spareMs,
      until,
    )
    return told !== undefined && lanes.assign(told, askedAt) ? told.version : undefined
  }

  async function probe(): Promise<void> {
    await learn(0, undefined, over.signal).catch(fail)
    probing = undefined
  }

  async function keepPresent(): Promise<void> {
    const waitMs = Math.min(longestWaitMs, mostWaitMs)
    let known: string | undefined
    while (!over.signal.aborted) known = await learn(waitMs, known, over.signal)
  }

  async function keepFetching(): Promise<void> {
    const request = { max: batch, tellsGaps: onGap !== undefined }
    let patience: ReturnType<typeof setTimeout> | undefined
    let isStuck = false
    while (!stopping.aborted) {
      let without: number[] = []
      if (lanes.waiting() < batch) {
        clearTimeout(patience)
        patience = undefined
        isStuck = false
      } else {
        patience ??= setTimeout(() => {
          isStuck = true
          tellProgress()
        }, patienceMs)
        if (isStuck) without = lanes.full(batch)
        if (without.length === 0 || without.length === lanes.read().length) {
          await progress.promise
          continue
        }
      }
      const after = lanes.read()
      const waitMs = without.length === 0 ? fetchWaitMs : shortWaitMs // they are to be asked for again soon
      const call = { ...request, waitSeconds: waitMs / 1000, after, without }
      const fetched = await insist((s, begun) => calls.fetch(call, s, begun), waitMs + spareMs, stopping)
      if (fetched === undefined) return
      for (const gap of fetched.gaps) onGap?.(gap)
      lanes.take(fetched)
    }
  }

  async function keepCommitting(): Promise<void> {
    while (!over.signal.aborted) {
      const news = progress.promise
      const isIdle = !(await commitDue(over.signal))
      await (isIdle ? news : wait(commitEveryMs, over.signal))
    }
  }

  /** Whether there was something. */
  async function commitDue(until: AbortSignal): Promise<boolean> {
    const { positions, release } = lanes.due()
    if (positions.length === 0 && release.length === 0) return false
    try {
      const done = await insist(
        (s) => calls.commit(positions, release, s).then(() => true),
        longestSpareMs,
        until,
      )
      if (done === true) lanes.committed(positions, release)
    } catch (error) {
      if (!(error instanceof SignalboxClientError) || error.code !== "stale_generation") throw error
      await learn(0, undefined, until)
    }
    return true
  }

  function insistBriefly<T>(
    call: (callSignal: AbortSignal) => Promise<T>,
    until: AbortSignal,
  ): Promise<T | undefined> {
    return insist(call, longestSpareMs, until)
  }

  async function keepReplayed(): Promise<void> {
    if (options.replays !== true) return
    const { onError } = options
    await keepReplaying({ calls, lanes, handle, insist: insistBriefly, onError, stopping, over: over.signal })
  }

  const replaying = keepReplayed().catch(fail)
  const loops = [keepPresent(), keepFetching(), keepCommitting()].map((loop) => loop.catch(fail))
  await Promise.race([aborted(signal), aborted(over.signal)])
  if (!over.signal.aborted) await leave().catch(fail)
  over.abort()
  lanes.drop()
  await Promise.all([...loops, replaying])
  if (fault === undefined) return { kind: "left" }
  const { error } = fault
  if (error instanceof SignalboxClientError && error.code === "unknown_member") return { kind: "lost", error }
  await calls.leave(AbortSignal.timeout(longestSpareMs)).catch(() => {}) // others go on at once
  throw error

  async function leave(): Promise<void> {
    const late = AbortSignal.timeout(finishMs)
    const finished = Promise.all([lanes.finish(), replaying]) // a member that has left can give nothing back
    await Promise.race([finished, aborted(late), aborted(over.signal)])
    const last = AbortSignal.any([late, over.signal])
    while (await commitDue(last)) if (last.aborted) break
    await calls.leave(AbortSignal.timeout(longestSpareMs)).catch(() => {}) // its session ends by itself
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
}
