import { setTimeout as sleep } from "node:timers/promises"
import type { CommandContext } from "../../command.ts"
import { readTime } from "../../read-value.ts"
import { remoteUsage, requestHub } from "../../remote.ts"
import { pathOf, readLedgers, type HubAction, type Ledger } from "./ledger.ts"

const pollMs = 1_000

/**
 * `sources reconcile`: has one source, or every one whose provider can be asked, checked against the
 * provider's record now. Following it ends with 1 where one could not be finished.
 */
export const reconcile: HubAction = {
  usage: `[PLATFORM[/NAME]] [--since 3d] [--follow] ${remoteUsage}`,
  run: begin,
}

async function begin(context: CommandContext): Promise<number> {
  const { positionals, options, json, out } = context
  const path = positionals[1]
  const ledgers = await readLedgers(context, path)
  const chosen = path === undefined ? ledgers.filter(({ askable }) => askable) : ledgers
  if (chosen.length === 0 && !json) out("no source has a credential with which its provider could be asked")
  const since = readTime(options, "since", new Date())
  const query = since === undefined ? "" : `?since=${since.toISOString()}`
  for (const ledger of chosen) {
    const { platform, source } = ledger
    const at = `/api/v1/sources/${encodeURIComponent(platform)}/${encodeURIComponent(source)}/reconcile${query}`
    await requestHub(context, at, { method: "POST" })
    if (options["follow"] !== true) {
      out(json ? JSON.stringify({ platform, source, wanted: true }) : `${pathOf(ledger)}  begins now`)
    }
  }
  return options["follow"] === true ? follow(context, new Set(chosen.map(pathOf))) : 0
}

/** Shows each change until none of these sources is wanted or under way any more. */
async function follow(context: CommandContext, paths: ReadonlySet<string>): Promise<number> {
  const { signal } = context
  const shown = new Map<string, string>()
  while (!signal.aborted) {
    const all = await readLedgers(context, undefined)
    const followed = all.filter((ledger) => paths.has(pathOf(ledger)))
    for (const ledger of followed) show(context, ledger, shown)
    if (followed.every(isOver)) return followed.every(({ problem }) => problem === null) ? 0 : 1
    await sleep(pollMs, undefined, { signal }).catch(() => {})
  }
  return 1
}

/** A sweep that was put down for others' turn, or whose process is gone, has made progress and goes on. */
function isOver({ wanted, running, progress, problem }: Ledger): boolean {
  return !wanted && !running && (progress === null || problem !== null)
}

function show({ json, out }: CommandContext, ledger: Ledger, shown: Map<string, string>): void {
  const { progress, repaired, open, summary, problem } = ledger
  const way = `${progress ?? "beginning"}; ${repaired} repaired, ${open} open`
  const line = isOver(ledger) ? (problem ?? summary) : way
  if (shown.get(pathOf(ledger)) === line) return
  shown.set(pathOf(ledger), line)
  out(json ? JSON.stringify(ledger) : `${pathOf(ledger)}  ${line}`)
}
