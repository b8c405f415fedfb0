/** When events are due that are handed on at a rate. */
export interface Schedule {
  /** Events that may be handed on now, so that they are due within the next two seconds. */
  room: number
  /** When the `n`th of them is due. */
  dueAt(n: number): Date
  /** Up to when `count` of them take the time; null without a rate. */
  until(count: number): Date | null
}

const aheadMs = 2_000
/**
 * Consumers hear of what is due by the beat of their leases, once a second. What comes first, or after a pause, is
 * due no sooner than they can know, or what had become due meanwhile would be handed on at once.
 */
const heardMs = 1_500
/** A replay that is this far behind was paused; one that its consumer holds up is not, and loses no time. */
const pausedMs = 5_000

/** Makes the schedule of a replay that has handed on events up to `pacedUntil`. What is behind its rate is not made up for. */
export function scheduleOf(perSecond: number | null, pacedUntil: Date | null, now: Date): Schedule {
  if (perSecond === null) return { room: Infinity, dueAt: () => now, until: () => null }
  const behindMs = pacedUntil === null ? Infinity : now.getTime() - pacedUntil.getTime()
  const from = now.getTime() + (behindMs > pausedMs ? heardMs : Math.max(0, -behindMs))
  const everyMs = 1_000 / perSecond
  const ahead = now.getTime() + aheadMs - from
  const at = (n: number) => new Date(from + n * everyMs)
  return { room: ahead < 0 ? 0 : Math.floor(ahead / everyMs) + 1, dueAt: at, until: at }
}

/** How many events may wait for their first attempt: those of three seconds, so that a stop is not followed by a rush. */
export function mostUntried(perSecond: number | null): number {
  return perSecond === null ? Infinity : Math.max(8, Math.ceil(3 * perSecond))
}
