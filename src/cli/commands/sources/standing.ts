import { defaultSource, defaultTenant } from "../../../core/source.ts"
import type { SourceView } from "../../../core/source-admin.ts"
import { readAs } from "../../../store/database.ts"
import { listReceipts } from "../../../store/list-receipts.ts"
import type { SourceTools } from "./action.ts"

/** What is known of secrets that are not stored: those of variables, or of the options of a hub. */
export interface Standing {
  /** `by GITHUB_WEBHOOK_SECRET`; null where there can be none. */
  words: string | null
  /** When one of them last verified a request that was taken. */
  matchedAt: Date | null
}

/**
 * Looks for the secrets of a source that are not stored. This command sees its own variables and not the
 * hub's, so it goes by what the hub has taken in under them as well.
 */
export async function standingOf(
  { tenant, platform, name, secrets }: SourceView,
  { config, database, platforms }: Pick<SourceTools, "config" | "database" | "platforms">,
): Promise<Standing> {
  const isDefault = tenant === defaultTenant && name === defaultSource
  if (!isDefault && secrets.length > 0) return { words: null, matchedAt: null }
  const [last] = await readAs(database, tenant, (db) =>
    listReceipts(db, { platform, source: name, outcome: "accepted", limit: 1 }),
  )
  const [origin] = last?.secretId?.split(":") ?? []
  const matchedAt = origin === "env" || origin === "hub" ? (last?.receivedAt ?? null) : null
  if (origin === "hub") return { words: "by the hub's options", matchedAt }
  const variable = platforms.find((one) => one.name === platform)?.secretVariable ?? null
  if (!isDefault || variable === null) return { words: null, matchedAt }
  const isSet = matchedAt !== null || config.secrets.has(platform)
  return { words: isSet ? `by ${variable}` : `by ${variable}, where the hub has it`, matchedAt }
}
