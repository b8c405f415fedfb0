import { SignalboxError } from "../../../core/errors.ts"
import { readAs } from "../../../store/database.ts"
import { listReceipts, receiptOutcomes } from "../../../store/list-receipts.ts"
import { textOption, type OptionValues } from "../../command.ts"
import { readTime } from "../../read-value.ts"
import { formatTable } from "../../table.ts"
import { readRef, type SourceAction } from "./action.ts"

const maxLimit = 10_000

/** `sources receipts`: what became of the requests to a source, newest first. */
export const receipts: SourceAction = {
  usage: `PLATFORM[/NAME] [--outcome ${receiptOutcomes.join("|")}] [--since 24h] [--limit 50]`,
  async run(context, { admin, database }) {
    const { options, json, out } = context
    const { tenant, platform, name } = await admin.find(readRef(context))
    const wanted = textOption(options, "outcome")
    const outcome = receiptOutcomes.find((one) => one === wanted)
    if (wanted !== undefined && outcome === undefined) {
      throw new SignalboxError("bad_request", `--outcome takes one of ${receiptOutcomes.join(", ")}`)
    }
    const since = readTime(options, "since", new Date())
    const rows = await readAs(database, tenant, (db) =>
      listReceipts(db, {
        platform,
        source: name,
        outcome,
        since,
        limit: readLimit(options),
      }),
    )
    if (json) for (const row of rows) out(JSON.stringify(row))
    else {
      const shown = rows.map(({ code, reason, deliveryId, eventId, ...row }) => ({
        ...row,
        event: eventId,
        what: reason === null ? deliveryId : `${code ?? ""}: ${reason}`,
      }))
      out(formatTable(["receivedAt", "outcome", "requests", "event", "what"], shown))
    }
    return 0
  },
}

function readLimit(options: OptionValues): number {
  const limit = Number(textOption(options, "limit") ?? 50)
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return limit
  throw new SignalboxError("bad_request", `--limit takes a number from 1 to ${maxLimit}`)
}
