import { loadConfig } from "../../config.ts"
import { platforms } from "../../platforms/index.ts"
import { installQueue } from "../../queue/install.ts"
import { migrate } from "../../store/migrate.ts"
import type { Command } from "../command.ts"
import { withDatabaseUrl } from "../database.ts"

/** `signalbox migrate`: brings the database to this version's schema. `serve` does it by itself. */
export const migrateCommand: Command = {
  name: "migrate",
  summary: "Bring the database to this version's schema",
  usage: "[--json]",
  async run({ env, json, out }) {
    const report = await withDatabaseUrl(loadConfig(env, platforms), async (url) => {
      const result = await migrate(url)
      await installQueue(url)
      return result
    })
    if (json) out(JSON.stringify(report))
    else if (report.applied.length === 0) out("the schema is up to date")
    else for (const name of report.applied) out(`applied ${name}`)
    return 0
  },
}
