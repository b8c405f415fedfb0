import type { Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { Platform } from "../core/platform.ts"
import type { RunningSources, Source } from "../core/source.ts"
import type { Database, Db } from "../store/database.ts"
import { sealedSecrets } from "../store/source-secrets.ts"
import {
  ensureSources,
  sourcesById,
  sourceVersion,
  sourceVersions,
  updateSource,
  type SourceRow,
} from "../store/sources.ts"
import { followChanges, type Follower } from "./follow-changes.ts"
import { holdSource, sourceAt, type HeldSource, type StandingNow } from "./held-source.ts"
import type { Keyring } from "./keyring.ts"
import { createMatches } from "./matches.ts"
import { credentialFor } from "./stored-source.ts"
import { standingSources, type StandingOptions, type StandingSource } from "./standing-sources.ts"

export interface SourcesOptions extends StandingOptions {
  database: Pick<Database, "url" | "work">
  keyring: Keyring
  /** Credentials of the environment by platform; they speak for the tenant `default` alone. */
  credentials?: ReadonlyMap<string, string>
  /** Addresses of the platforms' APIs where they are not the usual ones. */
  apiUrls?: ReadonlyMap<string, string>
  clock: Clock
  log: Log
  /** Milliseconds between two looks for changes of which no hint came (5 s). */
  pollMs?: number
}

/** The sources of a process, from `start` to `stop`. */
export interface SourceDirectory extends RunningSources {
  /**
   * Makes the rows of the default sources and those of the hub's options, loads all sources, and follows
   * their changes. Throws `configuration` where a row of theirs belongs to another tenant.
   */
  start(): Promise<void>
  /** Reads now what has changed. */
  refresh(): Promise<void>
  /** Idempotent; writes what was noted of matches. */
  stop(): Promise<void>
}

interface Entry {
  held: HeldSource
  platform: Platform
  standing: StandingSource | undefined
  now: StandingNow
}

/** Makes the directory. Throws `configuration` for a malformed source of the options. */
export function createSources(options: SourcesOptions): SourceDirectory {
  const { database, keyring, clock, log, credentials = new Map(), apiUrls, pollMs = 5_000 } = options
  const platforms = new Map<string, Platform>(options.platforms.map((platform) => [platform.name, platform]))
  const standing = standingSources(options)
  const standingByPath = new Map(standing.map((source) => [pathOf(source), source]))
  const entries = new Map<string, Entry>()
  const byPath = new Map<string, Map<string, Entry>>()
  const secretIds = new Set<string>()
  const matches = createMatches(clock, (secretId) => secretIds.has(secretId))
  let version: number | undefined
  let follower: Follower | undefined
  let stopped: Promise<void> | undefined
  let loading: Promise<void> = Promise.resolve()

  async function start(): Promise<void> {
    for (const row of await ensureSources(database.work, standing)) {
      if (row.tenant === standingByPath.get(pathOf(row))?.tenant) continue
      throw new SignalboxError("configuration", `source ${pathOf(row)} belongs to tenant ${row.tenant}`)
    }
    await keyring.keys() // a malformed key file is found now, and not when the first secret comes
    await refresh(database.work)
    follower = followChanges({ databaseUrl: database.url, look, pollMs, log })
  }

  async function look(db: Db): Promise<void> {
    await refresh(db)
    await matches.write(db)
  }

  /** One load at a time: an older answer is never put over a newer one. */
  function refresh(db: Db): Promise<void> {
    const loaded = loading.then(() => load(db))
    loading = loaded.catch(() => {})
    return loaded
  }

  /** Reads what has another version than here; nothing where the one counter stands as it stood. */
  async function load(db: Db): Promise<void> {
    // Read first: what changes while the rows are read is read again at the next look.
    const newest = await sourceVersion(db)
    if (newest === version) return
    const versions = await sourceVersions(db)
    for (const id of entries.keys()) if (!versions.has(id)) drop(id)
    const changed = [...versions].filter(([id, at]) => entries.get(id)?.held.row.version !== at)
    for (let first = 0; first < changed.length; first += batch) {
      await loadSome(
        db,
        changed.slice(first, first + batch).map(([id]) => id),
      )
    }
    version = newest
  }

  async function loadSome(db: Db, ids: readonly string[]): Promise<void> {
    const rows = await sourcesById(db, ids)
    const secrets = Map.groupBy(await sealedSecrets(db, ids, clock()), ({ sourceId }) => sourceId)
    const keys = secrets.size === 0 ? [] : await keyring.keys()
    for (const row of rows) take(row, holdSource(row, secrets.get(row.id) ?? [], keys))
  }

  function take(row: SourceRow, held: HeldSource): void {
    const platform = platforms.get(row.platform)
    if (platform === undefined) return // of a version that had it
    for (const { id } of entries.get(row.id)?.held.signing ?? []) secretIds.delete(id)
    const own = standingByPath.get(pathOf(row))
    const entry: Entry = { held, platform, standing: own, now: sourceAt(held, own, platform, nowMs()) }
    entries.set(row.id, entry)
    namesOf(row.platform).set(row.name, entry)
    for (const { id } of held.signing) secretIds.add(id)
    for (const { secret, why } of held.shut) {
      log.warn(
        { source: pathOf(row), secretId: secret.id, keyId: secret.keyId },
        `a ${secret.purpose} secret of ${pathOf(row)} ${why}`,
      )
    }
  }

  function drop(id: string): void {
    const entry = entries.get(id)
    if (entry === undefined) return
    entries.delete(id)
    namesOf(entry.held.row.platform).delete(entry.held.row.name)
    for (const secret of entry.held.signing) secretIds.delete(secret.id)
  }

  function namesOf(platform: string): Map<string, Entry> {
    let names = byPath.get(platform)
    if (names === undefined) byPath.set(platform, (names = new Map()))
    return names
  }

  function current(entry: Entry): Source {
    const now = nowMs()
    if (now >= entry.now.until) entry.now = sourceAt(entry.held, entry.standing, entry.platform, now)
    return entry.now.source
  }

  const nowMs = () => clock().getTime()

  /** Those that stand first, as they were given, then the others by path. */
  function inOrder(sources: Source[]): Source[] {
    const places = new Map(standing.map((source, index) => [pathOf(source), index]))
    const placeOf = (source: Source) => places.get(pathOf(source)) ?? places.size
    return sources.toSorted((a, b) => placeOf(a) - placeOf(b) || (pathOf(a) < pathOf(b) ? -1 : 1))
  }

  async function stop(): Promise<void> {
    await follower?.stop()
  }

  return {
    start,
    refresh: () => refresh(database.work),
    stop: () => (stopped ??= stop()),
    find(platform, name) {
      const entry = byPath.get(platform)?.get(name)
      return entry === undefined ? undefined : current(entry)
    },
    list: () => inOrder([...entries.values()].map(current)),
    credentialOf: (source) => credentialFor(entries.get(source.id)?.held, source, { credentials }),
    apiUrlOf: ({ platform }) => apiUrls?.get(platform) ?? null,
    async saveSettings(sourceId, settings) {
      if ((await updateSource(database.work, sourceId, { settings })) !== undefined) return
      throw new SignalboxError("not_found", "there is no such source any more")
    },
    matched: matches.note,
  }
}

/** Sources whose secrets are opened in one go: each takes some ten microseconds. */
const batch = 200

function pathOf({ platform, name }: { platform: string; name: string }): string {
  return `${platform}/${name}`
}
