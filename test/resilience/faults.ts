import type { Chance } from "./chance.ts"

/** What goes wrong with one connection, and behind how many bytes. */
export type Fault =
  /** It is closed as soon as it is made. */
  | { kind: "refused" }
  /** It is reset while the client still says what it wants. */
  | { kind: "unasked"; after: number }
  /** It is reset both ways, with what was on its way. */
  | { kind: "reset"; after: number }
  /** The client is told of an end, as if all had been said. */
  | { kind: "truncated"; after: number }
  /** Nothing comes through any more, and nobody is told: half open. */
  | { kind: "swallowed"; after: number }
  /** Nothing comes through for a while, then all of it. */
  | { kind: "stalled"; after: number; ms: number }

export type FaultKind = Fault["kind"]

/** Faults that end a connection. */
export const cutKinds = ["refused", "unasked", "reset", "truncated", "swallowed"] as const

/** How often each kind comes about, relative to the others. */
const weights: Readonly<Record<FaultKind, number>> = {
  refused: 1,
  unasked: 1,
  reset: 5,
  truncated: 4,
  swallowed: 1,
  stalled: 2,
}

/** Plans the fault of the next connection, out of these kinds. Small numbers of bytes are the likelier ones. */
export function planFault(chance: Chance, kinds: readonly FaultKind[], mostBytes: number): Fault {
  const kind = weighted(chance, kinds)
  if (kind === "refused") return { kind }
  if (kind === "unasked") return { kind, after: chance.between(1, 150) }
  const after = 1 + Math.floor(chance.next() ** 2 * mostBytes)
  return kind === "stalled" ? { kind, after, ms: chance.between(200, 2_000) } : { kind, after }
}

function weighted(chance: Chance, kinds: readonly FaultKind[]): FaultKind {
  let left = chance.next() * kinds.reduce((sum, kind) => sum + weights[kind], 0)
  for (const kind of kinds) {
    left -= weights[kind]
    if (left < 0) return kind
  }
  return "reset"
}
