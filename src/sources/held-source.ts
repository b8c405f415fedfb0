import type { Platform, Secret } from "../core/platform.ts"
import { defaultSource, type Source } from "../core/source.ts"
import type { SealedRow, SecretRow } from "../store/source-secrets.ts"
import type { SourceRow } from "../store/sources.ts"
import { encryptionKeyVariable, type EncryptionKey } from "./encryption-key.ts"
import { openSecret } from "./seal.ts"
import type { StandingSource } from "./standing-sources.ts"

/** A source with its secrets open, as a process holds it. */
export interface HeldSource {
  row: SourceRow
  /** Those that open, newest first. */
  signing: readonly HeldSecret[]
  /** The newest; undefined where none is stored. */
  credential: HeldSecret | undefined
  /** Secrets that do not open here, each with the reason. */
  shut: readonly ShutSecret[]
}

interface HeldSecret extends Secret {
  /** Unix milliseconds; Infinity for one without an end. */
  expiresAt: number
}

/** A secret that cannot be opened, and why, in words that follow its name. */
export interface ShutSecret {
  secret: SecretRow
  why: string
}

/** Opens what is stored of a source. */
export function holdSource(
  row: SourceRow,
  secrets: readonly SealedRow[],
  keys: readonly EncryptionKey[],
): HeldSource {
  const signing: HeldSecret[] = []
  const shut: ShutSecret[] = []
  let credential: HeldSecret | undefined
  for (const secret of secrets) {
    const opened = openSecret(secret, secret, keys)
    if (!opened.ok) {
      shut.push({ secret, why: opened.why === "unknown_key" ? unknownKey(secret) : damaged })
      continue
    }
    const { id } = secret
    const held = { id, value: opened.value, expiresAt: secret.expiresAt?.getTime() ?? Infinity }
    if (secret.purpose === "signing") signing.push(held)
    else credential ??= held
  }
  return { row, signing, credential, shut }
}

/** A source as it stands at one time, and the Unix milliseconds until when it stands so. */
export interface StandingNow {
  source: Source
  until: number
}

/** The source as it stands at `now`; secrets that the process has without the database come last. */
export function sourceAt(
  held: HeldSource,
  standing: StandingSource | undefined,
  platform: Platform,
  now: number,
): StandingNow {
  const { row, signing } = held
  const valid = signing.filter(({ expiresAt }) => expiresAt > now)
  const secrets: Secret[] = [...valid.map(({ id, value }) => ({ id, value })), ...(standing?.secrets ?? [])]
  const sender = standing?.sender ?? row.sender
  const source: Source = {
    id: row.id,
    tenant: row.tenant,
    platform: row.platform,
    name: row.name,
    ...(sender === null ? {} : { sender }),
    settings: row.settings,
    secrets,
  }
  const off = row.enabled ? withoutSecrets(held, platform, secrets) : disabled(row)
  return {
    source: off === undefined ? source : { ...source, off },
    until: Math.min(...valid.map(({ expiresAt }) => expiresAt)),
  }
}

const damaged = "does not open: it was changed, or moved here from another source; rotate it"

function unknownKey({ keyId }: SecretRow): string {
  return `is sealed under the encryption key ${keyId}, which this process does not have: add it to ${encryptionKeyVariable}, or rotate the secret`
}

function disabled({ platform, name }: SourceRow): string {
  return `source ${platform}/${name} is disabled`
}

function withoutSecrets(
  { row, shut }: HeldSource,
  platform: Platform,
  secrets: readonly Secret[],
): string | undefined {
  if (secrets.length > 0) return undefined
  const path = `${row.platform}/${row.name}`
  const first = shut.find(({ secret }) => secret.purpose === "signing")
  if (first !== undefined) return `source ${path} is off: its secret ${first.why}`
  if (row.name !== defaultSource) return `source ${path} is off: it has no secret in force`
  return platform.secretVariable === null
    ? `${path} is off: it has no secret; events are submitted through the API`
    : `${row.platform} is off: ${platform.secretVariable} is not set`
}
