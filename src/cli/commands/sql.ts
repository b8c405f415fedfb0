import { loadConfig } from "../../config.ts"
import { SignalboxError } from "../../core/errors.ts"
import { platforms } from "../../platforms/index.ts"
import { openDatabase } from "../../store/database.ts"
import { runQuery } from "../../store/run-query.ts"
import { textOption, type Command } from "../command.ts"
import { withSchema } from "../database.ts"
import { formatTable } from "../table.ts"

/** `signalbox sql`: one query under the reader role, with the rows of one tenant in sight. */
export const sqlCommand: Command = {
  name: "sql",
  summary: "Run one read-only SQL query over the events",
  usage: "QUERY [--tenant T] [--json]",
  options: { tenant: { type: "string" } },
  async run({ positionals, options, env, json, out }) {
    const query = positionals[0]
    if (query === undefined) throw new SignalboxError("bad_request", 'give a query: sql "select ..."')
    const { columns, rows } = await withSchema(loadConfig(env, platforms), async (url) => {
      const database = openDatabase({ url, maxWork: 1, maxRead: 1, longestMs: Infinity })
      try {
        return await runQuery(database, textOption(options, "tenant") ?? "default", query)
      } catch (cause) {
        throw new SignalboxError("bad_request", cause instanceof Error ? cause.message : String(cause), {
          cause,
        })
      } finally {
        await database.close()
      }
    })
    if (json) for (const row of rows) out(JSON.stringify(row))
    else out(formatTable(columns, rows))
    return 0
  },
}
