import { defaultSource, type Source } from "../core/source.ts"
import type { SecretView, SourceView } from "../core/source-admin.ts"
import type { SecretRow } from "../store/source-secrets.ts"
import type { SourceRow } from "../store/sources.ts"

/** A secret as shown. */
export function showSecret({ id, purpose, createdAt, expiresAt, matchedAt }: SecretRow): SecretView {
  return { id, purpose, createdAt, expiresAt, matchedAt }
}

/** A source as shown; `running` is what this process makes of it, where it runs sources. */
export function showSource(
  row: SourceRow,
  secrets: readonly SecretRow[],
  running: Source | undefined,
  now: Date,
): SourceView {
  const { id, tenant, platform, name, sender, settings, enabled, createdAt, updatedAt } = row
  const inForce = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(showSecret)
  const stored = inForce.filter(({ purpose }) => purpose === "signing")
  const known = new Set(stored.map((secret) => secret.id))
  const standing = (running?.secrets ?? []).filter((secret) => !known.has(secret.id))
  return {
    id,
    tenant,
    platform,
    name,
    sender,
    settings,
    enabled,
    off: enabled ? (running?.off ?? null) : `source ${platform}/${name} is disabled`,
    path: webhookPath(platform, name),
    createdAt,
    updatedAt,
    secrets: [...stored, ...standing.map(showStanding)],
    credential: inForce.find(({ purpose }) => purpose === "credential") ?? null,
  }
}

/** Where the webhooks of a source go. */
export function webhookPath(platform: string, name: string): string {
  return name === defaultSource ? `/webhooks/${platform}` : `/webhooks/${platform}/${name}`
}

function showStanding({ id }: { id: string }): SecretView {
  return { id, purpose: "signing", createdAt: null, expiresAt: null, matchedAt: null }
}
