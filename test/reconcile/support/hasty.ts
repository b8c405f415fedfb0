import type { ReconcileOptions } from "../../../src/reconcile/options.ts"

/** Short patience, as a test has it; every window reaches over all that a test knows. */
export const hasty: ReconcileOptions = {
  settleMs: 0,
  patienceMs: 150,
  spacingMs: 0,
  overlapMs: 10 * 86_400_000,
  processingMs: 10_000,
  pageTimeoutMs: 5_000,
  callTimeoutMs: 5_000,
  leaseMs: 600,
}
