import { textOption } from "../../command.ts"
import { formatTable } from "../../table.ts"
import type { SourceView } from "../../../core/source-admin.ts"
import type { SourceAction } from "./action.ts"
import { lastMatched, pathOf } from "./show.ts"
import { standingOf, type Standing } from "./standing.ts"

const pageSize = 500

/** `sources list`: every source, with what is known of its secrets. */
export const list: SourceAction = {
  usage: "[--tenant T]",
  async run({ options, json, out }, tools) {
    const { admin } = tools
    const tenant = textOption(options, "tenant") ?? null
    const rows: Record<string, unknown>[] = []
    for (let after: { platform: string; name: string } | null = null; ;) {
      const page = await admin.list(tenant, { limit: pageSize, after })
      for (const source of page) {
        if (json) out(JSON.stringify(source))
        else {
          const standing = await standingOf(source, tools)
          rows.push({
            source: pathOf(source),
            tenant: source.tenant,
            state: source.enabled ? "enabled" : "disabled",
            secrets: secretsInWords(source, standing),
            credential: source.credential === null ? "" : "stored",
            "last matched": latest(lastMatched(source), standing.matchedAt),
            sender: source.sender,
          })
        }
      }
      const last = page.at(-1)
      if (page.length < pageSize || last === undefined) break
      after = { platform: last.platform, name: last.name }
    }
    if (!json) {
      out(formatTable(["source", "tenant", "state", "secrets", "credential", "last matched", "sender"], rows))
    }
    return 0
  },
}

/** `2 stored`, `by GITHUB_WEBHOOK_SECRET`, or both. */
function secretsInWords({ secrets }: SourceView, { words }: Standing): string {
  if (words === null) return `${secrets.length} stored`
  return secrets.length === 0 ? words : `${secrets.length} stored, and ${words}`
}

function latest(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other
  return one > other ? one : other
}
