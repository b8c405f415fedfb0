import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../core/errors.ts"
import type { Recovered } from "../core/remote.ts"
import {
  countRequest,
  eventsOfKeys,
  missingDeliveries,
  settleArrived,
  settleGaps,
  type DeliveryGap,
  type GapOutcome,
} from "../store/gaps.ts"
import { eachOf } from "./bounded.ts"
import { refusalOf } from "./refusal.ts"
import type { Run } from "./run.ts"

const batchSize = 500

/**
 * Brings in every delivery that is known to be missing: asks for it again, waits until it came, and
 * where it did not come after some attempts copies it. None is left open, unless this throws.
 */
export async function repairDeliveries(run: Run): Promise<void> {
  let mayAsk = run.recovery.redeliver !== undefined
  for (;;) {
    await run.write((db) => settleArrived(db, run.lease.sourceId, run.key, run.clock()))
    const gaps = await missingDeliveries(run.pool, run.lease.sourceId, batchSize)
    if (gaps.length === 0) return
    mayAsk = await repairBatch(run, gaps, mayAsk)
  }
}

/** Answers whether asking makes sense for the batches that follow: not where nothing came of it. */
async function repairBatch(run: Run, gaps: DeliveryGap[], mayAsk: boolean): Promise<boolean> {
  // What was asked for by a run that did not live to see it come may be on its way.
  const requested = gaps.filter(({ state }) => state === "requested")
  const late = await whatDoesNotCome(run, requested)
  let missing = [...late, ...gaps.filter(({ state }) => state === "open")]
  const copied: DeliveryGap[] = []
  let asked = 0
  let came = 0
  while (missing.length > 0) {
    const again = mayAsk ? missing.filter(({ attempts }) => attempts < run.options.attempts) : []
    copied.push(...missing.filter((gap) => !again.includes(gap)))
    if (again.length === 0) break
    const { sent, refused, refusesAll } = await askAgain(run, again)
    if (refusesAll) mayAsk = false
    copied.push(...refused)
    missing = await whatDoesNotCome(run, sent)
    asked += sent.length
    came += sent.length - missing.length
  }
  await eachOf(copied, run.options.atOnce, (gap) => copyOne(run, gap))
  return mayAsk && (asked === 0 || came > 0)
}

interface Asked {
  sent: DeliveryGap[]
  /** Those for which asking is in vain, and the rest of them once it is in vain for all. */
  refused: DeliveryGap[]
  refusesAll: boolean
}

async function askAgain(run: Run, gaps: readonly DeliveryGap[]): Promise<Asked> {
  const { redeliver } = run.recovery
  const answer: Asked = { sent: [], refused: [], refusesAll: redeliver === undefined }
  const turn = takingTurns(run.options.spacingMs, run.signal)
  await eachOf(gaps, run.options.atOnce, async (gap) => {
    if (!answer.refusesAll) await turn()
    if (redeliver === undefined || answer.refusesAll) {
      answer.refused.push(gap)
      return
    }
    try {
      await run.call("the provider, asked for a redelivery,", (access) => redeliver(access, gap.handle))
      // Counted afterwards: whoever ends here asks once more at most, and gives up on nothing too early.
      await run.write((db) => countRequest(db, gap.id, run.clock()))
      answer.sent.push({ ...gap, attempts: gap.attempts + 1 })
    } catch (error) {
      const isForbidden = error instanceof SignalboxError && error.code === "forbidden"
      if (!isForbidden && refusalOf(error) === null) throw error
      run.log.info({ err: error, key: gap.key }, "a redelivery was refused: the delivery is copied")
      if (isForbidden) answer.refusesAll = true
      answer.refused.push(gap)
    }
  })
  return answer
}

/** Each call resolves `ms` after the one before it. */
function takingTurns(ms: number, signal: AbortSignal): () => Promise<void> {
  let free = 0
  return async () => {
    const wait = free - performance.now()
    free = Math.max(free, performance.now()) + ms
    if (wait > 0) await sleep(wait, undefined, { signal })
  }
}

/** Waits until all of these deliveries are in, or patience is at its end; answers those that are not. */
async function whatDoesNotCome(run: Run, gaps: readonly DeliveryGap[]): Promise<DeliveryGap[]> {
  if (gaps.length === 0) return []
  const end = performance.now() + run.options.patienceMs
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    const keys = gaps.map(({ key }) => key)
    const isLast = performance.now() >= end
    const arrived = await eventsOfKeys(run.pool, run.key, keys)
    if (isLast || gaps.every(({ key }) => arrived.has(key)))
      return gaps.filter(({ key }) => !arrived.has(key))
    await sleep(Math.min(waitMs, Math.max(1, end - performance.now())), undefined, { signal: run.signal })
  }
}

async function copyOne(run: Run, gap: DeliveryGap): Promise<void> {
  const outcome = await outcomeOfCopy(run, gap)
  await run.write((db) => settleGaps(db, run.lease.sourceId, "delivery", [outcome], run.clock()))
}

async function outcomeOfCopy(run: Run, gap: DeliveryGap): Promise<GapOutcome> {
  try {
    const recovered = await copyOf(run, gap)
    const arrived = await eventsOfKeys(run.pool, run.key, [gap.key])
    const eventId = arrived.get(gap.key)
    if (eventId !== undefined) return { key: gap.key, state: "repaired", eventId, note: null }
    if (recovered === null) return lost(gap, "the provider does not hand it out any more")
    const receipt = await run.submit(recovered)
    return { key: gap.key, state: "repaired", eventId: receipt.eventId, note: null }
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === null) throw error
    return lost(gap, refusal)
  }
}

async function copyOf(run: Run, { handle }: DeliveryGap): Promise<Recovered | null> {
  const { copy } = run.recovery
  if (copy === undefined) return null
  return run.call("the provider, asked for a delivery,", (access) => copy(access, handle))
}

function lost({ key }: DeliveryGap, note: string): GapOutcome {
  return { key, state: "lost", eventId: null, note }
}
