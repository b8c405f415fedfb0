import type { WebhookRow } from "../core/subscription.ts"
import type { HealthNote } from "../store/webhook-health.ts"

/** What this process sees of one receiver. */
export interface HealthBook {
  succeeded(at: Date): void
  failed(at: Date, error: string): void
  /** What was seen since it was asked last; undefined for nothing worth writing yet. */
  take(now: Date): HealthNote | undefined
  /** Gives back what could not be written. */
  untake(note: HealthNote): void
}

/** That a receiver still answers is written so often. */
const successEveryMs = 10_000

/** Makes the book of one subscription, of as long as it has that address. */
export function createHealthBook({ id, url }: Pick<WebhookRow, "id" | "url">): HealthBook {
  const nothing = {
    subscriptionId: id,
    url,
    lastSuccessAt: null,
    lastFailureAt: null,
    failingSince: null,
    failures: 0,
    lastError: null,
  }
  let note: HealthNote = { ...nothing }
  let isFailing = true // unknown: the first success is written at once
  let writtenAt = 0

  return {
    succeeded(at) {
      note.lastSuccessAt = at
      note.failingSince = null
      note.failures = 0
      if (isFailing) writtenAt = 0
      isFailing = false
    },
    failed(at, error) {
      note.lastFailureAt = at
      note.failingSince ??= at
      note.failures++
      note.lastError = error
      isFailing = true
    },
    take(now) {
      if (note.lastSuccessAt === null && note.lastFailureAt === null) return undefined
      if (note.failures === 0 && now.getTime() - writtenAt < successEveryMs) return undefined
      const taken = note
      writtenAt = now.getTime()
      note = { ...nothing }
      return taken
    },
    untake(taken) {
      const answered = note.lastSuccessAt !== null
      note = {
        ...note,
        lastSuccessAt: note.lastSuccessAt ?? taken.lastSuccessAt,
        lastFailureAt: note.lastFailureAt ?? taken.lastFailureAt,
        failingSince: answered ? note.failingSince : (taken.failingSince ?? note.failingSince),
        failures: note.failures + (answered ? 0 : taken.failures),
        lastError: note.lastError ?? taken.lastError,
      }
    },
  }
}
