import { backoffMs, wait } from "../backoff.ts"
import { SignalboxClientError } from "../errors.ts"
import { checkOptions } from "../known-options.ts"
import type { Requests } from "../requests.ts"
import { join, type Joined } from "./calls.ts"
import { workAsMember } from "./member.ts"
import { groupOptionNames, type GroupOptions, type HandleGroupEvent } from "./options.ts"

/** A consumer group, as a member of it sees it. */
export interface Group {
  /**
   * Joins the group and handles the events of this member's share, until `signal` is aborted. Events of one partition
   * come one after another in the order of their positions, those of several side by side, each at least once: it is
   * committed when its handler has resolved, and handed to another member where this one ends before. It joins anew
   * where the hub has taken it for dead. Rejects for what no other try would mend.
   */
  run(handle: HandleGroupEvent): Promise<void>
}

/** Makes the consumer of a group; nothing is sent before it runs. */
export function createGroup(requests: Requests, group: string, options: GroupOptions): Group {
  checkOptions("group", options, groupOptionNames)
  const { name = "signalbox/client", onRetry } = options

  async function letIn(signal: AbortSignal): Promise<Joined | undefined> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        return await join(requests, group, name, signal)
      } catch (error) {
        if (signal.aborted) return undefined
        if (!(error instanceof SignalboxClientError) || !error.retryable) throw error
        onRetry?.(error)
        await wait(backoffMs(attempt, error.retryAfterMs ?? 0), signal)
      }
    }
    return undefined
  }

  return {
    async run(handle) {
      const signal = options.signal ?? new AbortController().signal
      while (!signal.aborted) {
        const joined = await letIn(signal)
        if (joined === undefined) return
        const end = await workAsMember(joined, handle, options, signal)
        if (end.kind === "left") return
        onRetry?.(end.error)
      }
    },
  }
}
