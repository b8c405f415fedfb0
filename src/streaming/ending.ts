import { comeBackMs } from "../core/come-back.ts"

/** Why a stream ends that its client did not end; it may come back with its cursor in any case. */
export interface Ending {
  reason: "shutdown" | "closed" | "key_ended" | "stream_changed" | "stream_removed" | "log_set_back"
  /** The same for people. */
  detail: string
}

/** An ending, and how long its client had better stay away. */
export type Farewell = Ending & { retryMs: number }

/** The endings that are always the same. */
export const endings = {
  shutdown: { reason: "shutdown", detail: "the server stops, and another is there or will be" },
  closed: { reason: "closed", detail: "an operator ended the connection" },
  keyEnded: { reason: "key_ended", detail: "the API key is revoked or expired" },
  changed: { reason: "stream_changed", detail: "the streams that were asked for have changed" },
  setBack: { reason: "log_set_back", detail: "the log was set back: begin anew, or from a position of now" },
} as const satisfies Record<string, Ending>

/** The ending of those who read a stream that is no more. */
export function streamRemoved(name: string): Ending {
  return { reason: "stream_removed", detail: `the stream ${JSON.stringify(name)} was removed` }
}

/** Adds a time to come back. */
export function farewellOf(ending: Ending): Farewell {
  return { ...ending, retryMs: comeBackMs() }
}
