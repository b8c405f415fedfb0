import { SignalboxError } from "../core/errors.ts"
import type { Platform, Secret } from "../core/platform.ts"
import type { Db } from "./database.ts"
import { valuesList } from "./values-list.ts"

/** A configured sender of a platform. */
export interface Source {
  tenant: string
  platform: string
  name: string
  /** In force, all of them. */
  secrets: readonly Secret[]
  /** Why it takes no webhooks, in a sentence for the operator; absent while it does. */
  off?: string
}

/** A source besides the default ones. */
export interface SourceSettings {
  platform: string
  name: string
  /** `default` if absent. */
  tenant?: string
  secrets: readonly string[]
}

export interface SourcesOptions {
  platforms: readonly Platform[]
  /** Secrets of each platform's default source; a platform that is absent is off. */
  secrets: ReadonlyMap<string, readonly string[]>
  extra?: readonly SourceSettings[]
}

/** The sources of this process, held in memory: finding one costs no query. */
export interface Sources {
  find(platform: string, name: string): Source | undefined
  list(): readonly Source[]
}

/** Name of the source that `POST /webhooks/:platform` speaks to. */
export const defaultSource = "default"

const defaultTenant = "default"

/**
 * Makes the rows of all sources where they are missing, and loads them. Throws `configuration` for a
 * malformed source, or where a row of that name belongs to another tenant.
 */
export async function openSources(
  db: Db,
  { platforms, secrets, extra = [] }: SourcesOptions,
): Promise<Sources> {
  const sources = new Map<string, Source>()
  for (const platform of platforms) {
    const values = secrets.get(platform.name) ?? []
    sources.set(pathOf(platform.name, defaultSource), {
      tenant: defaultTenant,
      platform: platform.name,
      name: defaultSource,
      secrets: withIds("env", values),
      ...(values.length === 0 ? { off: reasonOff(platform) } : {}),
    })
  }
  for (const settings of extra) {
    const source = extraSource(settings, platforms)
    sources.set(pathOf(source.platform, source.name), source)
  }
  for (const row of await ensureRows(db, [...sources.values()])) {
    const path = pathOf(row.platform, row.name)
    const source = sources.get(path)
    if (source === undefined) continue
    if (row.tenant !== source.tenant) {
      throw new SignalboxError("configuration", `source ${path} belongs to tenant ${row.tenant}`)
    }
    if (!row.enabled) sources.set(path, { ...source, off: `source ${path} is disabled` })
  }
  return {
    find: (platform, name) => sources.get(pathOf(platform, name)),
    list: () => [...sources.values()],
  }
}

interface SourceRow {
  tenant: string
  platform: string
  name: string
  enabled: boolean
}

async function ensureRows(db: Db, sources: readonly Source[]): Promise<SourceRow[]> {
  if (sources.length === 0) return []
  await db.query(
    `insert into sources (tenant, platform, name) values ${valuesList(sources.length, 3)} on conflict do nothing`,
    sources.flatMap((source) => [source.tenant, source.platform, source.name]),
  )
  const { rows } = await db.query<SourceRow>("select tenant, platform, name, enabled from sources")
  return rows
}

function extraSource(settings: SourceSettings, platforms: readonly Platform[]): Source {
  const { platform: platformName, name, tenant = defaultTenant, secrets } = settings
  const path = pathOf(platformName, name)
  const platform = platforms.find((candidate) => candidate.name === platformName)
  if (platform === undefined) throw new SignalboxError("configuration", `source ${path}: unknown platform`)
  if (!/^[A-Za-z0-9][\w.-]{0,62}$/.test(name)) {
    throw new SignalboxError("configuration", `source ${path}: a name has letters, digits, "_", "-" and "."`)
  }
  if (secrets.length === 0) throw new SignalboxError("configuration", `source ${path} has no secret`)
  for (const value of secrets) {
    const problem = value === "" ? "holds an empty secret" : platform.checkSecret?.(value)
    if (problem) throw new SignalboxError("configuration", `source ${path} ${problem}`)
  }
  return { tenant, platform: platformName, name, secrets: withIds("hub", secrets) }
}

function withIds(origin: string, values: readonly string[]): Secret[] {
  return values.map((value, index) => ({ id: `${origin}:${index + 1}`, value }))
}

function reasonOff({ name, secretVariable }: Platform): string {
  return secretVariable === null
    ? `${name} takes no webhooks; its events are submitted through the API`
    : `${name} is off: ${secretVariable} is not set`
}

function pathOf(platform: string, name: string): string {
  return `${platform}/${name}`
}
