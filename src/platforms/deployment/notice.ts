import type { Actor } from "../../core/envelope.ts"
import { firstLine, textOrNull } from "../../core/text.ts"
import { timeOrNull, unixTimeOrNull } from "../../core/time.ts"

/** A time, from RFC 3339 text or Unix milliseconds. */
export function timeOf(value: unknown): Date | null {
  return timeOrNull(value) ?? unixTimeOrNull(value)
}

/** The same as text, as a deployment's schema takes it. */
export function timeText(value: unknown): string | null {
  return timeOf(value)?.toISOString() ?? null
}

/** Who did it, of an id and a name, either of which will do; null where there is neither. */
export function personOf(id: unknown, name: unknown): Actor | null {
  const known = firstLine(id, 128) ?? firstLine(name, 128)
  return known === null ? null : { id: known, name: firstLine(name, 256) ?? known, bot: false }
}

/** `dyno:update: api` for what happened and what it happened to. */
export function noticeTitle(word: string | null, about: unknown): string | null {
  const subject = firstLine(about)
  if (word === null) return subject
  return textOrNull(subject === null ? word : `${word}: ${subject}`, 512)
}
