import { textOption } from "../../command.ts"
import { formatTable } from "../../table.ts"
import type { SourceAction } from "./action.ts"
import { lastMatched, pathOf } from "./show.ts"

const pageSize = 500

/** `sources list`: every source, with what is known of its secrets. */
export const list: SourceAction = {
  usage: "[--tenant T]",
  async run({ options, json, out }, { admin }) {
    const tenant = textOption(options, "tenant") ?? null
    const rows: Record<string, unknown>[] = []
    for (let after: { platform: string; name: string } | null = null; ;) {
      const page = await admin.list(tenant, { limit: pageSize, after })
      for (const source of page) {
        if (json) out(JSON.stringify(source))
        else {
          rows.push({
            source: pathOf(source),
            tenant: source.tenant,
            state: source.enabled ? "enabled" : "disabled",
            "stored secrets": source.secrets.length,
            credential: source.credential === null ? "" : "stored",
            "last matched": lastMatched(source),
            sender: source.sender,
          })
        }
      }
      const last = page.at(-1)
      if (page.length < pageSize || last === undefined) break
      after = { platform: last.platform, name: last.name }
    }
    if (!json) {
      out(
        formatTable(
          ["source", "tenant", "state", "stored secrets", "credential", "last matched", "sender"],
          rows,
        ),
      )
    }
    return 0
  },
}
