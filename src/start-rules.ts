import type { Log } from "./core/log.ts"
import type { Correlation } from "./correlation/correlation.ts"
import { recordedRules, recordRules } from "./store/correlation-rules.ts"
import type { Db } from "./store/database.ts"

/**
 * Records the rules of the user's own that are in force from now on, and warns of those that have been and of
 * which this process knows nothing, or another version: nothing else would tell that a file was forgotten.
 */
export async function startRules(
  db: Db,
  { rules, ownRules }: Pick<Correlation, "rules" | "ownRules">,
  log: Log,
): Promise<void> {
  const versions = new Map(rules().map(({ name, version }) => [name, version]))
  for (const { name: rule, version } of await recordedRules(db)) {
    const running = versions.get(rule)
    if (running === undefined) {
      log.warn(
        { rule, version },
        `the rule ${rule} (version ${version}) has made links here, and this hub does not run it: new events get none of them. Give its file with --rule or SIGNALBOX_RULES, or let its links go with: signalbox reprocess --without ${rule}`,
      )
    } else if (running !== version) {
      log.warn(
        { rule, version: running, stored: version },
        `this hub runs version ${running} of the rule ${rule}, and what is stored was made by version ${version}: signalbox reprocess brings it up to date`,
      )
    }
  }
  await recordRules(db, ownRules())
}
