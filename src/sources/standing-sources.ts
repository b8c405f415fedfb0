import { SignalboxError } from "../core/errors.ts"
import type { Platform, Secret } from "../core/platform.ts"
import { defaultSource, defaultTenant } from "../core/source.ts"
import { checkName, checkSecret, checkSender, platformNamed } from "./check-source.ts"

/** A source that whoever makes the hub configures, besides the default ones. */
export interface SourceSettings {
  platform: string
  name: string
  /** `default` if absent. */
  tenant?: string
  /** One of the platform's kinds of sender; its own form if absent. */
  sender?: string
  secrets: readonly string[]
}

/** A source of which this process has secrets without the database: of the environment, or of the hub's options. */
export interface StandingSource {
  tenant: string
  platform: string
  name: string
  sender?: string | undefined
  secrets: readonly Secret[]
}

export interface StandingOptions {
  platforms: readonly Platform[]
  /** Secrets of each platform's default source. */
  secrets: ReadonlyMap<string, readonly string[]>
  extra?: readonly SourceSettings[]
}

/**
 * The default source of every platform, with secrets or without, and those of the hub's options.
 * Throws `configuration` in a line that names the malformed one.
 */
export function standingSources({ platforms, secrets, extra = [] }: StandingOptions): StandingSource[] {
  const defaults = platforms.map(({ name }) => ({
    tenant: defaultTenant,
    platform: name,
    name: defaultSource,
    secrets: withIds("env", secrets.get(name) ?? []),
  }))
  return [...defaults, ...extra.map((settings) => extraSource(settings, platforms))]
}

function extraSource(settings: SourceSettings, platforms: readonly Platform[]): StandingSource {
  const { name, tenant = defaultTenant, sender, secrets } = settings
  const path = `${settings.platform}/${name}`
  try {
    const platform = platformNamed(platforms, settings.platform)
    checkName(name)
    checkSender(platform, sender)
    if (secrets.length === 0) throw new SignalboxError("configuration", "it has no secret")
    for (const value of secrets) checkSecret(platform, value, sender)
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error
    throw new SignalboxError("configuration", `source ${path}: ${error.message}`, { cause: error })
  }
  return { tenant, platform: settings.platform, name, sender, secrets: withIds("hub", secrets) }
}

function withIds(origin: string, values: readonly string[]): Secret[] {
  return values.map((value, index) => ({ id: `${origin}:${index + 1}`, value }))
}
