import type pg from "pg"
import { renewSweep, SweepLost, type SweepLease } from "../store/completeness.ts"

/**
 * Holds a claim until `stop`; `onLost` is called once where it is found in other hands, or could not be
 * renewed for as long as it lasts.
 */
export function keepLease(
  pool: pg.Pool,
  lease: SweepLease,
  { leaseMs, onLost }: { leaseMs: number; onLost: (reason: SweepLost) => void },
): { stop(): void } {
  let heldUntil = performance.now() + leaseMs
  async function renew(): Promise<void> {
    const asked = performance.now()
    const isHeld = await renewSweep(pool, lease, leaseMs).catch(() => undefined)
    if (isHeld === true) heldUntil = asked + leaseMs
    if (isHeld === false || performance.now() > heldUntil) {
      clearInterval(timer)
      onLost(new SweepLost())
    }
  }
  const timer = setInterval(() => void renew(), leaseMs / 3)
  return { stop: () => clearInterval(timer) }
}
