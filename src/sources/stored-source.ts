import type { Clock } from "../core/clock.ts"
import type { Secret } from "../core/platform.ts"
import { defaultSource, defaultTenant } from "../core/source.ts"
import type { SourceRef } from "../core/source-admin.ts"
import type { Db } from "../store/database.ts"
import { sealedSecrets } from "../store/source-secrets.ts"
import { findSource } from "../store/sources.ts"
import { holdSource, type HeldSource } from "./held-source.ts"
import type { Keyring } from "./keyring.ts"

/** What the environment has for the sources of the tenant `default`. */
export interface EnvironmentSecrets {
  /** Signing secrets of each platform's default source. */
  secrets: ReadonlyMap<string, readonly string[]>
  credentials: ReadonlyMap<string, string>
}

/** A source as it lies in the database, opened; undefined where there is none. */
export async function openStored(
  db: Db,
  keyring: Keyring,
  clock: Clock,
  { tenant, platform, name }: SourceRef,
): Promise<HeldSource | undefined> {
  const row = await findSource(db, tenant, platform, name)
  if (row === undefined) return undefined
  const secrets = await sealedSecrets(db, [row.id], clock())
  return holdSource(row, secrets, secrets.length === 0 ? [] : await keyring.keys())
}

/** The signing secret to sign with: the newest that is stored, else the environment's first; null for none. */
export function newestSecret(
  { row, signing }: HeldSource,
  { secrets }: Pick<EnvironmentSecrets, "secrets">,
): Secret | null {
  const [newest] = signing
  if (newest !== undefined) return { id: newest.id, value: newest.value }
  const [first] = row.name === defaultSource ? (secrets.get(row.platform) ?? []) : []
  return first === undefined ? null : { id: "env:1", value: first }
}

/** The credential of a source, else the environment's, where that may speak for it. */
export function credentialFor(
  held: HeldSource | undefined,
  { tenant, platform }: { tenant: string; platform: string },
  { credentials }: Pick<EnvironmentSecrets, "credentials">,
): string | null {
  if (held?.credential !== undefined) return held.credential.value
  // One that does not open is not replaced by another: it may reach what that one may not.
  if (held?.shut.some(({ secret }) => secret.purpose === "credential")) return null
  return tenant === defaultTenant ? (credentials.get(platform) ?? null) : null
}
