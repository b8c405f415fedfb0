import type { Correlate } from "../core/correlate.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Platform } from "../core/platform.ts"
import { createPool } from "../store/database.ts"
import { logHead } from "../store/log-pages.ts"
import { countAfter, placesAfter, type LogSelection } from "../store/log-window.ts"
import { processingSettings } from "../store/processing.ts"
import { rulesBehind } from "../store/relations.ts"
import { tenantsWithUnreadKeys } from "../store/team-keys.ts"
import { createDerive } from "./derive.ts"
import type { FailedAttempt } from "./failed-attempt.ts"
import { makeKnown, readPast } from "./learn-teams.ts"
import { reprocess, type Learn } from "./reprocess.ts"
import { createFaultCount, type RuleFaults } from "./rule-faults.ts"

export interface ReprocessLogOptions {
  databaseUrl: string
  platforms: readonly Platform[]
  correlate: Correlate
  /** Names of the rules that may make links, and of those whose links may go. */
  rules: ReadonlySet<string>
  selection: Omit<LogSelection, "upTo">
  /** The position after which to begin. */
  after: number
  /** Ends the run after the batch at hand. */
  signal: AbortSignal
  onProgress?: (progress: ReprocessProgress) => void
}

export interface ReprocessProgress {
  /** Events done, of how many. */
  events: number
  of: number
  /** The last event's position: `after` of the run that goes on from here. */
  position: number
}

/** What a run has done. */
export interface ReprocessedLog extends ReprocessProgress {
  mended: number
  /** How many could not be derived, and the first hundred of them. */
  failed: number
  failures: FailedAttempt[]
  /** Rules that threw: the links that they had made of these events stay. */
  faults: RuleFaults[]
  /** Whether all was read to its end, the selection and what the names concern that it shows. */
  complete: boolean
}

const eventsAtOnce = 200
const maxFailures = 100

/**
 * Derives the selected events anew, in the order of the log, up to where that ended at the start. Each batch
 * is a transaction of its own, so a run that ends halfway has done what it has done; the next one goes on
 * from its position, or repeats it without harm. Keys of teams that the events show become known on the way;
 * by those, and by any that were left unread before, the past is read at the end, selected or not. Throws
 * `configuration` before it would drop the links of a rule that nobody gave to it.
 */
export async function reprocessLog(options: ReprocessLogOptions): Promise<ReprocessedLog> {
  const { databaseUrl, platforms, correlate, rules, after, signal, onProgress } = options
  const pool = createPool(databaseUrl, {
    role: "signalbox_worker",
    max: 1,
    pipeline: true,
    queryTimeoutMs: 60_000,
    name: "reprocessing",
    settings: processingSettings,
  })
  const reader = createPool(databaseUrl, { role: "signalbox_worker", max: 1, name: "reprocessing" })
  const derive = createDerive(platforms, correlate)
  const learn: Learn = async (derived, known) => (await makeKnown(pool, derived, known)).size > 0
  const expectRules = async (ids: readonly string[], position: number): Promise<void> => {
    for (const rule of await rulesBehind(reader, ids)) {
      if (!rules.has(rule)) throw unknownRule(rule, position)
    }
  }
  try {
    const selection = { ...options.selection, upTo: await logHead(reader) }
    const of = await countAfter(reader, selection, after)
    const faultCount = createFaultCount()
    const done: ReprocessedLog = {
      events: 0,
      of,
      position: after,
      mended: 0,
      failed: 0,
      failures: [],
      faults: [],
      complete: false,
    }
    while (!signal.aborted) {
      const places = await placesAfter(reader, selection, done.position, eventsAtOnce)
      const ids = places.map(({ id }) => id)
      await expectRules(ids, done.position)
      const { mended, failed, faults } = await reprocess({ pool, derive, learn }, ids)
      done.events += ids.length
      done.mended += mended
      done.failed += failed.length
      for (const fault of faults) faultCount.note(fault)
      done.failures.push(...failed.slice(0, maxFailures - done.failures.length))
      done.position = places.at(-1)?.position ?? done.position
      onProgress?.({ events: done.events, of, position: done.position })
      if (places.length < eventsAtOnce) break
    }
    for (const tenant of await tenantsWithUnreadKeys(reader, selection.tenant)) {
      await readPast(pool, tenant, signal, async (ids) => {
        await expectRules(ids, 0)
        await reprocess({ pool, derive }, ids)
      })
    }
    done.faults = faultCount.list()
    done.complete = !signal.aborted
    return done
  } finally {
    await Promise.all([pool.end(), reader.end()])
  }
}

function unknownRule(rule: string, position: number): SignalboxError {
  return new SignalboxError(
    "configuration",
    `after position ${position} there are links of the rule ${rule}, which is none of these: give the file that defines it with --rule, or let them go with --without ${rule}`,
  )
}
