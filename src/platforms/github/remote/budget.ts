import { createHash } from "node:crypto"
import { SignalboxError } from "../../../core/errors.ts"

/** Share of the hourly limit that is left to the token's other users. */
const reserve = 0.05
/** What GitHub asks for where it names no time. */
const secondaryWaitSeconds = 60
const maxTokens = 1_000

interface State {
  limit: number
  remaining: number
  /** Unix milliseconds; 0 while nothing is known. */
  resetsAt: number
  /** Nothing is asked before this, whatever remains: a secondary limit. */
  blockedUntil: number
  /** Requests whose answers are still to come, and to be counted. */
  underWay: number
}

/** What one token may still ask for, as GitHub's answers tell. */
export interface Budget {
  /** Tells this token's from others', and is not it. */
  key: string
  /**
   * Counts a request in, until the function that it gives is called. Throws `too_many_requests` with the
   * seconds to wait where nothing may be asked now. Never waits.
   */
  begin(now: Date): () => void
  /** Learns from the headers of an answer. */
  note(headers: Headers): void
  /** Shuts the way until then: GitHub said so. */
  block(until: Date): void
}

/** The budgets of this process: whoever calls with the same token shares one. */
export function createBudgets(): (apiUrl: string, credential: string) => Budget {
  const budgets = new Map<string, Budget>()
  return (apiUrl, credential) => {
    const key = createHash("sha256").update(`${apiUrl}\n${credential}`).digest("base64")
    const found = budgets.get(key) ?? createBudget(key)
    budgets.delete(key)
    budgets.set(key, found) // the last used is the last to be forgotten
    for (const oldest of budgets.keys()) {
      if (budgets.size <= maxTokens) break
      budgets.delete(oldest)
    }
    return found
  }
}

function createBudget(key: string): Budget {
  const state: State = { limit: 0, remaining: 0, resetsAt: 0, blockedUntil: 0, underWay: 0 }
  return {
    key,
    begin(now) {
      const isKnown = state.resetsAt > now.getTime()
      const isSpent = isKnown && state.remaining - state.underWay <= Math.ceil(state.limit * reserve)
      const until = Math.max(state.blockedUntil, isSpent ? state.resetsAt : 0)
      if (until > now.getTime()) throw tooManyRequests(until - now.getTime())
      state.underWay++
      return () => void state.underWay--
    },
    note(headers) {
      const limit = number(headers.get("x-ratelimit-limit"))
      const remaining = number(headers.get("x-ratelimit-remaining"))
      const reset = number(headers.get("x-ratelimit-reset"))
      if (limit === null || remaining === null || reset === null) return
      // Searches and the like have limits of their own.
      if ((headers.get("x-ratelimit-resource") ?? "core") !== "core") return
      const resetsAt = reset * 1_000
      // Answers overtake each other: within one hour the least is the newest.
      const left = resetsAt === state.resetsAt ? Math.min(state.remaining, remaining) : remaining
      if (resetsAt >= state.resetsAt) Object.assign(state, { limit, remaining: left, resetsAt })
    },
    block(until) {
      state.blockedUntil = Math.max(state.blockedUntil, until.getTime())
    },
  }
}

/**
 * Seconds for which GitHub wants to be left alone, where an answer is that of a limit; null for any
 * other. A refusal for want of a permission is 403 as well, and has none of these marks.
 */
export function limitWait(status: number, headers: Headers, documentation: string, now: Date): number | null {
  if (status !== 403 && status !== 429) return null
  const after = number(headers.get("retry-after"))
  if (after !== null) return after
  const reset = number(headers.get("x-ratelimit-reset"))
  if (headers.get("x-ratelimit-remaining") === "0" && reset !== null) {
    return Math.max(1, Math.ceil(reset - now.getTime() / 1_000))
  }
  return status === 429 || documentation.includes("rate-limits") ? secondaryWaitSeconds : null
}

/** The error of a limit, with the time after which it is worth asking again. */
export function tooManyRequests(waitMs: number): SignalboxError {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1_000))
  return new SignalboxError(
    "too_many_requests",
    `the token has no more requests to GitHub's API to spare for the next ${retryAfter} seconds`,
    { retryAfter },
  )
}

function number(header: string | null): number | null {
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : null
}
