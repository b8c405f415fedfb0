import type { Fields } from "../core/fields.ts"
import type { Db } from "./database.ts"
import { valuesList } from "./values-list.ts"

/** A configured sender as stored. */
export interface SourceRow {
  id: string
  tenant: string
  platform: string
  name: string
  sender: string | null
  settings: Fields
  enabled: boolean
  createdAt: Date
  updatedAt: Date
  /** Changes with every change to the source or to one of its secrets. */
  version: number
}

const columns = `id, tenant, platform, name, sender, settings, enabled, created_at as "createdAt",
  updated_at as "updatedAt", version`

/** What names a source besides its id. */
export interface SourcePath {
  tenant: string
  platform: string
  name: string
}

/** Makes rows where they are missing, and answers all that have these paths, whosever they are. */
export async function ensureSources(db: Db, wanted: readonly SourcePath[]): Promise<SourceRow[]> {
  const found = await sourcesAt(db, wanted)
  const known = new Set(found.map(({ platform, name }) => `${platform}/${name}`))
  const missing = wanted.filter(({ platform, name }) => !known.has(`${platform}/${name}`))
  if (missing.length === 0) return found
  await db.query(
    `insert into sources (tenant, platform, name) values ${valuesList(missing.length, 3)} on conflict do nothing`,
    missing.flatMap(({ tenant, platform, name }) => [tenant, platform, name]),
  )
  return sourcesAt(db, wanted)
}

async function sourcesAt(db: Db, paths: readonly SourcePath[]): Promise<SourceRow[]> {
  const { rows } = await db.query<SourceRow>(
    `select ${columns} from sources
     where (platform, name) in (select * from unnest($1::text[], $2::text[]))`,
    [paths.map(({ platform }) => platform), paths.map(({ name }) => name)],
  )
  return rows
}

/** Rises with every change to any source, in the order of commit. */
export async function sourceVersion(db: Db): Promise<number> {
  const { rows } = await db.query<{ version: number }>("select version from source_version")
  return rows[0]?.version ?? 0
}

/** The version of every source, by id. */
export async function sourceVersions(db: Db): Promise<Map<string, number>> {
  const { rows } = await db.query<{ id: string; version: number }>("select id, version from sources")
  return new Map(rows.map(({ id, version }) => [id, version]))
}

/** Sources by id. */
export async function sourcesById(db: Db, ids: readonly string[]): Promise<SourceRow[]> {
  const { rows } = await db.query<SourceRow>(`select ${columns} from sources where id = any($1)`, [ids])
  return rows
}

/** One source of a tenant, or of any for null. */
export async function findSource(
  db: Db,
  tenant: string | null,
  platform: string,
  name: string,
): Promise<SourceRow | undefined> {
  const { rows } = await db.query<SourceRow>(
    `select ${columns} from sources
     where platform = $2 and name = $3 and ($1::text is null or tenant = $1)`,
    [tenant, platform, name],
  )
  return rows[0]
}

/** Sources of a tenant, or of all for null, by platform and name. */
export async function listSources(
  db: Db,
  tenant: string | null,
  page: { limit: number; after: { platform: string; name: string } | null },
): Promise<SourceRow[]> {
  const { rows } = await db.query<SourceRow>(
    `select ${columns} from sources
     where ($1::text is null or tenant = $1)
       and ($3::text is null or (platform, name) > ($3, $4))
     order by platform, name limit $2`,
    [tenant, page.limit, page.after?.platform ?? null, page.after?.name ?? null],
  )
  return rows
}

/** What a source is made with. */
export interface SourceSpec extends SourcePath {
  sender: string | null
  settings: Fields
}

/** Makes a source; undefined where the path is taken. */
export async function insertSource(db: Db, source: SourceSpec): Promise<SourceRow | undefined> {
  const { rows } = await db.query<SourceRow>(
    `insert into sources (tenant, platform, name, sender, settings) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning ${columns}`,
    [source.tenant, source.platform, source.name, source.sender, JSON.stringify(source.settings)],
  )
  return rows[0]
}

/** Holds a source until the end of the transaction: whoever changes its secrets too begins with this. */
export async function lockSource(db: Db, id: string): Promise<SourceRow | undefined> {
  const { rows } = await db.query<SourceRow>(`select ${columns} from sources where id = $1 for update`, [id])
  return rows[0]
}

/** What may be changed of a source; absent members stay as they are. */
export interface SourceChange {
  enabled?: boolean | undefined
  sender?: string | null | undefined
  /** Put over those it has; a null takes one away. */
  settings?: Fields | undefined
}

/** Changes a source; undefined where there is none of this id. */
export async function updateSource(
  db: Db,
  id: string,
  { enabled, sender, settings = {} }: SourceChange,
): Promise<SourceRow | undefined> {
  const gone = Object.keys(settings).filter((key) => settings[key] === null)
  const { rows } = await db.query<SourceRow>(
    `update sources set enabled = coalesce($2, enabled),
       sender = case when $3 then $4 else sender end,
       settings = (settings || $5::jsonb) - $6::text[]
     where id = $1 returning ${columns}`,
    [id, enabled ?? null, sender !== undefined, sender ?? null, JSON.stringify(settings), gone],
  )
  return rows[0]
}
