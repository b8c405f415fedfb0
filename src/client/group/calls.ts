import { queryString } from "../query.ts"
import type { Requests } from "../requests.ts"
import type { GroupEvent, GroupGap } from "./options.ts"

/** A position of a partition, under the generation of whoever holds it. */
export interface Place {
  partition: number
  generation: number
  position: number
}

export interface Assignment {
  version: string
  assignments: Place[]
  revoking: number[]
}

export interface Fetched {
  events: { partition: number; event: GroupEvent }[]
  positions: Place[]
  gaps: GroupGap[]
}

/** An event that a replay hands to the group. */
export interface Replayed {
  partition: number
  replayId: string
  /** 1 for the first time that a member took it. */
  attempt: number
  event: GroupEvent
}

/** What came of replayed events; what failed comes again later, or is a dead letter. */
export interface SettledReplayed {
  done?: string[]
  failed?: { eventId: string; error: string }[]
}

/** What a member asks of the hub; every call throws a `SignalboxClientError` where it fails. */
export interface MemberCalls {
  heartbeat(waitSeconds: number, known: string | undefined, signal: AbortSignal): Promise<Assignment>
  fetch(
    request: {
      waitSeconds: number
      max: number
      after: readonly Place[]
      /** Partitions of which nothing is asked for. */
      without: readonly number[]
      tellsGaps: boolean
    },
    signal: AbortSignal,
    /** Called when the answer begins. */
    begun: () => void,
  ): Promise<Fetched>
  commit(positions: readonly Place[], release: readonly Place[], signal: AbortSignal): Promise<void>
  /** Takes replayed events that are due in the member's partitions, for so many seconds; an answer at once. */
  takeReplayed(max: number, seconds: number, signal: AbortSignal): Promise<Replayed[]>
  settleReplayed(settled: SettledReplayed, signal: AbortSignal): Promise<void>
  leave(signal: AbortSignal): Promise<void>
}

/** A member that was let in. */
export interface Joined {
  sessionMs: number
  calls: MemberCalls
}

/** Joins a group. */
export async function join(
  requests: Requests,
  group: string,
  name: string,
  signal: AbortSignal,
): Promise<Joined> {
  const path = `/api/v1/consumer-groups/${encodeURIComponent(group)}/members`
  const { member, sessionSeconds } = await requests.json<{ member: string; sessionSeconds: number }>(
    path,
    withBody({ name }, signal),
  )
  const own = `${path}/${member}`
  return {
    sessionMs: sessionSeconds * 1000,
    calls: {
      heartbeat: async (wait, known, until) =>
        requests.json(`${own}/heartbeat${queryString({ wait, known })}`, { method: "POST", signal: until }),
      fetch: async ({ waitSeconds: wait, max, after, tellsGaps, ...request }, until, begun) => {
        const places = after.map(
          ({ partition, generation, position }) => `${partition}:${generation}:${position}`,
        )
        const gaps = tellsGaps ? "tell" : undefined
        const without = request.without.length === 0 ? undefined : request.without.join()
        const query = queryString({ wait, max, after: places.join(), without, gaps })
        return requests.json(`${own}/events${query}`, { signal: until }, begun)
      },
      commit: async (positions, released, until) => {
        const release = released.map(({ partition, generation }) => ({ partition, generation }))
        await requests.json(`${own}/commit`, withBody({ positions, release }, until))
      },
      takeReplayed: async (max, seconds, until) => {
        const taken = withBody({ max, seconds }, until)
        return (await requests.json<{ events: Replayed[] }>(`${own}/replayed`, taken)).events
      },
      settleReplayed: async (settled, until) => {
        await requests.json(`${own}/replayed/settle`, withBody(settled, until))
      },
      leave: async (until) => {
        await requests.send(own, { method: "DELETE", signal: until })
      },
    },
  }
}

function withBody(body: object, signal: AbortSignal): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  }
}
