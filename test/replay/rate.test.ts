import { expect, test } from "vitest"
import { scheduleOf } from "../../src/replay/rate.ts"

const perSecond = 5
const everyMs = 1_000 / perSecond
const beatMs = 1_000

interface Run {
  /** When the consumer looks for what is due, after the replay began. */
  firstBeat: number
  /** Whether steps of the replay are taken at a time. */
  isMoving: (at: number) => boolean
  until: number
}

/**
 * When a consumer would send what a replay hands on, by a clock of its own: it hears of the next event that is due
 * at its beats, and sees what follows each time it has taken what is due.
 */
function sent({ firstBeat, isMoving, until }: Run): number[] {
  const times: number[] = []
  let waiting: number[] = []
  let pacedUntil: Date | null = null
  let known = Infinity
  for (let at = 0; at < until; at += 10) {
    if (at % 50 === 0 && isMoving(at)) {
      const schedule = scheduleOf(perSecond, pacedUntil, new Date(at))
      for (let n = 0; n < schedule.room; n++) waiting.push(schedule.dueAt(n).getTime())
      if (schedule.room > 0) pacedUntil = schedule.until(schedule.room)
    }
    if (at >= firstBeat && (at - firstBeat) % beatMs === 0) known = Math.min(...waiting)
    if (known > at) continue
    times.push(...waiting.filter((due) => due <= at).map(() => at))
    waiting = waiting.filter((due) => due > at)
    known = Math.min(...waiting)
  }
  return times
}

const leastPause = (times: readonly number[]) =>
  Math.min(...times.slice(1).map((at, index) => at - (times[index] ?? 0)))

test.each([0, 10, 390, 600, 990])(
  "a rate is even from the first event on, when the consumer looks first after %i ms",
  (firstBeat) => {
    const times = sent({ firstBeat, isMoving: () => true, until: 20_000 })
    expect(leastPause(times)).toBeGreaterThanOrEqual(everyMs - 10)
    expect(times.length).toBeGreaterThan(18 * perSecond) // and is no slower than it may be
  },
)

test("after a time in which nothing was handed on a rate is even at once, and makes up for nothing", () => {
  const times = sent({ firstBeat: 500, isMoving: (at) => at <= 5_000 || at >= 12_340, until: 20_000 })
  expect(leastPause(times)).toBeGreaterThanOrEqual(everyMs - 10)
  expect(times.some((at) => at > 15_000)).toBe(true)
})

test("a replay that its consumer holds up loses no time besides", () => {
  const now = new Date("2026-11-21T12:00:00Z")
  const ago = (ms: number) => new Date(now.getTime() - ms)
  const firstDue = (pacedUntil: Date | null) => scheduleOf(2_000, pacedUntil, now).dueAt(0).getTime()
  expect(firstDue(ago(4_000))).toBe(now.getTime())
  expect(firstDue(ago(-700))).toBe(now.getTime() + 700)
  expect(firstDue(ago(60_000))).toBeGreaterThan(now.getTime() + 1_000)
  expect(firstDue(null)).toBe(firstDue(ago(60_000)))
})
