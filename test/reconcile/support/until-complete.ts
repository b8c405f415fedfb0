import type { Clock } from "../../../src/core/clock.ts"
import type { ReconcileOutcome } from "../../../src/reconcile/reconcile-source.ts"

/** Time as hub and provider have it. */
export interface Passage {
  clock: Clock
  /** Lets time go on for both alike. */
  pass(ms: number): void
}

/** Runs again and again until the source is complete, letting time pass wherever the provider asks for it. */
export async function untilComplete(
  passage: Passage,
  run: (round: number) => Promise<ReconcileOutcome>,
): Promise<ReconcileOutcome[]> {
  const outcomes: ReconcileOutcome[] = []
  for (let round = 0; round < 300; round++) {
    const outcome = await run(round)
    outcomes.push(outcome)
    if (outcome.status === "complete") return outcomes
    await goOn(passage, outcome)
  }
  throw new Error(`not complete: ${JSON.stringify(outcomes.slice(-3))}`)
}

/** Lets the clocks go where the provider asks to wait; else waits for a lease that a killed run may have left. */
export async function goOn({ clock, pass }: Passage, outcome: ReconcileOutcome | null): Promise<void> {
  if (outcome?.status === "paused") pass(Math.max(1_000, outcome.nextAt.getTime() - clock().getTime()))
  else await new Promise((resolve) => setTimeout(resolve, 100))
}
