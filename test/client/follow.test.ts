import * as fc from "fast-check"
import { afterAll, beforeAll, expect, it, vi } from "vitest"
import { SignalboxClientError, type Gap } from "../../src/client/index.ts"
import { follow } from "../../src/client/follow.ts"
import type { Connect, Signal } from "../../src/client/signals.ts"

// Waits between connections pass at once.
beforeAll(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterAll(() => void vi.useRealTimers())

/** What a log holds from its first position on: events, events of others, and what retention dropped. */
const log = fc.array(fc.constantFrom("event", "hidden", "dropped"), { minLength: 1, maxLength: 40 })
type Log = readonly string[]

/** How a connection goes: how far before its cursor it begins, how many signals it lives, and how it ends. */
const life = fc.record({
  overlap: fc.nat({ max: 5 }),
  signals: fc.nat({ max: 12 }),
  end: fc.constantFrom("ended", "broke", "never opened", "asked to wait"),
  chatty: fc.boolean(),
})

/** What a hub says to a client that comes with a cursor. */
function* said(entries: Log, after: number, chatty: boolean): Generator<Signal> {
  yield { kind: "retry", ms: 2_000 }
  yield { kind: "position", position: after }
  for (let position = after + 1; position <= entries.length; position++) {
    const kind = entries[position - 1]
    if (kind === "event") yield { kind, position, json: JSON.stringify({ position }) }
    else if (kind === "dropped") {
      const from = position
      while (entries[position] === "dropped") position++
      yield { kind: "gap", from, position }
    } else if (chatty) yield { kind: "position", position }
    if (chatty) yield { kind: "broadcast", json: '"hello"' }
  }
  yield { kind: "position", position: entries.length }
}

/** Connections with these lives, one after the other, then ones that live as long as they are read. */
function connections(
  entries: Log,
  lives: readonly { overlap: number; signals: number; end: string; chatty: boolean }[],
) {
  const left = [...lives]
  const connect: Connect = async function* speak(cursor, signal) {
    const { overlap, signals, end, chatty } = left.shift() ?? {
      overlap: 0,
      signals: Infinity,
      end: "",
      chatty: true,
    }
    const after = typeof cursor === "number" ? cursor : 0
    if (end === "never opened") throw new SignalboxClientError("unreachable", end)
    let count = 0
    for (const told of said(entries, Math.max(0, after - overlap), chatty)) {
      if (count++ >= signals) {
        if (end === "broke") throw new SignalboxClientError("unreachable", end)
        if (end === "asked to wait")
          throw new SignalboxClientError("unavailable", end, { status: 503, retryAfterMs: 9e5 })
        return
      }
      yield told
    }
    await new Promise((resolve) => signal.addEventListener("abort", resolve))
  }
  return connect
}

it("whatever becomes of the connections, each event is handed over once and each gap told once, in order", async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.array(life, { maxLength: 12 }), fc.nat(), async (entries, lives, from) => {
      const start = from % entries.length
      const told: string[] = []
      const endAt = (position: number) => void (position === entries.length && stream.return())
      const stream = follow(connections(entries, lives), {
        after: start,
        onGap: ({ from: first, to }: Gap) => {
          for (let position = first; position <= to; position++) told.push(`dropped ${position}`)
          endAt(to)
        },
        onPosition: endAt,
      })
      const pump = setInterval(() => void vi.advanceTimersByTimeAsync(1e6), 0)
      for await (const { position, event } of stream) {
        expect(event.position).toBe(position)
        told.push(`event ${position}`)
        if (position === entries.length) break
      }
      clearInterval(pump)
      const wanted = entries.map((kind, index) => `${kind} ${index + 1}`).slice(start)
      expect(told).toEqual(wanted.filter((entry) => !entry.startsWith("hidden")))
      expect(stream.position).toBe(entries.length)
    }),
    { numRuns: 500 },
  )
})
