import type { Db } from "./database.ts"

/** A rule of the user's own that has been in force on this database. */
export interface RecordedRule {
  name: string
  version: number
}

/** The rules that were recorded, by name. */
export async function recordedRules(db: Db): Promise<RecordedRule[]> {
  const { rows } = await db.query<RecordedRule>({
    name: "recorded_rules",
    text: "select name, version from correlation_rules order by name",
  })
  return rows
}

/** Records rules that are in force from now on; those that are recorded keep their version. */
export async function recordRules(db: Db, rules: readonly RecordedRule[]): Promise<void> {
  await db.query({
    name: "record_rules",
    text: `insert into correlation_rules (name, version) select * from unnest($1::text[], $2::integer[])
      on conflict (name) do nothing`,
    values: [rules.map(({ name }) => name), rules.map(({ version }) => version)],
  })
}

/** Records by which rules the past was derived anew, and forgets those in `gone`, whose links went with that. */
export async function recordDerivation(
  db: Db,
  rules: readonly RecordedRule[],
  gone: readonly string[],
): Promise<void> {
  await db.query({ text: "delete from correlation_rules where name = any($1::text[])", values: [gone] })
  await db.query({
    text: `insert into correlation_rules (name, version) select * from unnest($1::text[], $2::integer[])
      on conflict (name) do update set version = excluded.version, recorded_at = now()`,
    values: [rules.map(({ name }) => name), rules.map(({ version }) => version)],
  })
}

/** Which of these rules have made links that are stored. Reads the whole table for one that has made none. */
export async function rulesWithLinks(db: Db, names: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>({
    text: `select name from unnest($1::text[]) as name
      where exists (select from event_correlations where rule = name)`,
    values: [names],
  })
  return rows.map(({ name }) => name)
}
