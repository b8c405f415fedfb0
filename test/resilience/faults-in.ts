import type { CutsReport } from "./run-cuts.ts"

const mostHelped = 0.01

/** Whatever in a report breaks a promise, in a line each. */
export function faultsIn({ lost, reconnects, givenUp, consumers }: CutsReport): string[] {
  const faults: string[] = []
  if (lost > 0) faults.push(`${lost} acknowledged events are not in the log`)
  if (givenUp > mostHelped * (reconnects + givenUp)) {
    const reasons = consumers.flatMap((consumer) => consumer.givenUp)
    faults.push(`clients gave up ${givenUp} times, and came back ${reconnects} times: ${reasons.join("; ")}`)
  }
  for (const { name, missing, repeated, disordered, unasked, falselyGone, gapsTold, at, once } of consumers) {
    const where = `(positions ${at.join(", ")})`
    if (missing > 0) faults.push(`${name}: a silent gap of ${missing} events ${where}`)
    if (disordered > 0) faults.push(`${name}: ${disordered} events out of order ${where}`)
    if (unasked > 0) faults.push(`${name}: ${unasked} events that it did not ask for ${where}`)
    if (falselyGone > 0) faults.push(`${name}: told of gaps where ${falselyGone} events are ${where}`)
    if (repeated > 0 && once) faults.push(`${name}: ${repeated} events came again ${where}`)
    if (name.endsWith(", away") && gapsTold === 0) faults.push(`${name}: was told of no gap`)
  }
  return faults
}
