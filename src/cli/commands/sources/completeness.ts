import type { CommandContext } from "../../command.ts"
import { remoteUsage } from "../../remote.ts"
import { pathOf, readLedgers, type HubAction } from "./ledger.ts"

/** `sources completeness`: how complete each source is known to be, a line each. */
export const completeness: HubAction = { usage: `[PLATFORM[/NAME]] ${remoteUsage}`, run: show }

async function show(context: CommandContext): Promise<number> {
  const { positionals, json, out } = context
  const ledgers = await readLedgers(context, positionals[1])
  const width = Math.max(0, ...ledgers.map((ledger) => pathOf(ledger).length))
  for (const ledger of ledgers) {
    if (json) {
      out(JSON.stringify(ledger))
      continue
    }
    const problem = ledger.problem !== null && ledger.askable ? `  (${ledger.problem})` : ""
    out(`${pathOf(ledger).padEnd(width)}  ${ledger.summary}${problem}`)
  }
  return 0
}
