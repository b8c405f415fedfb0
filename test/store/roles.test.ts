import { beforeAll, expect, test } from "vitest"
import { readAs, transaction, type Db } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()
const denied = { code: "42501" }

// What a reader may see although it belongs to no tenant.
const common = new Set(["event_log_head"])

// Values for columns whose checks refuse a made-up one.
const fitting: Record<string, string | number> = {
  kind: "handler",
  priority: "normal",
  strength: "strong",
  confidence: 0.5,
  "event_processing_status.status": "processed",
  "event_deliveries.status": "delivered",
  "stream_subscriptions.status": "active",
  "dead_letters.status": "open",
  "source_receipts.outcome": "rejected",
  "source_gaps.kind": "outage",
  "source_gaps.state": "open",
  format: "standard",
  concurrency: 1,
  timeout_ms: 1000,
  session_ms: 2000,
}

// Columns that name a row of another table.
const references: Record<string, string> = {
  "webhook_subscriptions.id": "stream_subscriptions",
  "consumer_groups.id": "stream_subscriptions",
  "replays.subscription_id": "stream_subscriptions",
  "webhook_health.subscription_id": "webhook_subscriptions",
}

interface Column {
  table: string
  name: string
  type: string
}

const byType: Record<string, string> = {
  uuid: "gen_random_uuid()",
  text: "'made-up'",
  jsonb: `'{"made": "up"}'`,
  bytea: "'\\x7b7d'",
  boolean: "true",
  "timestamp with time zone": "now()",
  "text[]": "'{}'",
  "uuid[]": "'{}'",
  "integer[]": "'{}'",
}

async function tenantTables(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and a.attname = 'tenant' and has_table_privilege('signalbox_reader', c.oid, 'select')
     order by 1`,
  )
  const depth = (name: string): number => {
    const [, other] = Object.entries(references).find(([column]) => column.startsWith(`${name}.`)) ?? []
    return other === undefined ? 0 : depth(other) + 1
  }
  return rows.map((row) => row.name).toSorted((a, b) => depth(a) - depth(b))
}

// A row of the tenant in each table: every column that needs a value gets one of its type.
async function fill(db: Db, table: string, tenant: string): Promise<void> {
  const { rows: columns } = await db.query<Column>(
    `select attrelid::regclass::text as table, attname as name, format_type(atttypid, atttypmod) as type
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
       and (attnotnull or attname = 'entity') and not atthasdef and attidentity = ''`,
    [table],
  )
  const names = [...columns.map(({ name }) => name), "tenant"].filter(
    (name, at, all) => all.indexOf(name) === at,
  )
  const values = names.map((name) => {
    if (name === "tenant") return `'${tenant}'`
    const other = references[`${table}.${name}`]
    if (other !== undefined) return `(select id from ${other} where tenant = '${tenant}')`
    const given = fitting[`${table}.${name}`] ?? fitting[name]
    if (given !== undefined) return typeof given === "number" ? String(given) : `'${given}'`
    const type = columns.find((column) => column.name === name)?.type ?? ""
    if (type === "text" && name === "name") return `'made_up_${tenant}'`
    return byType[type] ?? "1"
  })
  await db.query(`insert into ${table} (${names.join(", ")}) values (${values.join(", ")})`)
}

let tables: string[]

beforeAll(async () => {
  tables = await tenantTables(database.work)
  await transaction(database.work, async (db) => {
    for (const tenant of ["a", "b"]) for (const table of tables) await fill(db, table, tenant)
    // One pair of linked events for each, so that the view over links has rows too.
    for (const tenant of ["a", "b"]) {
      await db.query(
        `insert into event_log (position, event_id, tenant, platform, source, type, name, priority, entity,
           occurred_at, correlation_id, appended_at)
         select n, gen_random_uuid(), $1, 'custom', 's', 't', 'n', 'normal', 'made-up', now(), 'c', now()
         from generate_series(1, 2) n`,
        [tenant],
      )
    }
  })
})

const views = ["recent_events", "event_processing_summary", "correlated_events"]

test("a reader sees its tenant's rows in every table and view, and no others", async () => {
  expect(tables.length).toBeGreaterThan(15)
  for (const name of [...tables, ...views]) {
    const all = await database.work.query<{ tenant: string }>(`select distinct tenant from ${name}`)
    const tenants = all.rows.map((row) => row.tenant)
    expect({ name, tenants }).toEqual({ name, tenants: expect.arrayContaining(["a", "b"]) })
    const seen = await readAs(database, "a", (db) =>
      db.query<{ tenant: string; shared: boolean }>(
        `select distinct tenant, ${name === "event_streams" ? "built_in" : "false"} as shared from ${name}`,
      ),
    )
    const own = seen.rows.filter((row) => !row.shared)
    expect({ name, own }).toEqual({ name, own: [{ tenant: "a", shared: false }] })
  }
})

test("a reader without a tenant sees nothing but the built-in streams", async () => {
  for (const name of [...tables, ...views]) {
    const { rows } = await database.read.query(
      `select * from ${name} ${name === "event_streams" ? "where not built_in" : ""}`,
    )
    expect({ name, rows }).toEqual({ name, rows: [] })
  }
  const streams = await database.read.query("select count(*) as n from event_streams")
  expect(streams.rows).toEqual([{ n: 8 }])
})

test("the tenant of one reading does not reach the next on the same connection", async () => {
  await readAs(database, "a", (db) => db.query("select 1"))
  const { rows } = await database.read.query("select * from sources")
  expect(rows).toEqual([])
})

test("a reader cannot read what has no tenant: keys, members, migrations, single partitions", async () => {
  const { rows } = await database.work.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
       and has_table_privilege('signalbox_reader', c.oid, 'select')
       and (c.relispartition or not c.relrowsecurity and c.relkind <> 'v')`,
  )
  expect(rows.map((row) => row.name)).toEqual([...common])
  for (const name of ["api_keys", "schema_migrations", "events_default"]) {
    await expect(database.read.query(`select * from ${name}`)).rejects.toMatchObject(denied)
  }
  const secrets = await database.work.query(
    `select table_name, column_name from information_schema.column_privileges
     where grantee = 'signalbox_reader' and column_name ~ 'secret|password|token|hash$'`,
  )
  expect(secrets.rows).toEqual([])
})

test("a view shows a reader no more than its tables do", async () => {
  const { rows } = await database.work.query(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v'
       and has_table_privilege('signalbox_reader', oid, 'select')
       and not coalesce(reloptions @> '{security_invoker=true}', false)`,
  )
  expect(rows).toEqual([])
})

test("a reader writes nothing, whatever the kind of its transaction", async () => {
  const { rows } = await database.work.query(
    `select c.relname, p.privilege from pg_class c,
       unnest(array['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as p (privilege)
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
       and has_table_privilege('signalbox_reader', c.oid, p.privilege)`,
  )
  expect(rows).toEqual([])
  await expect(database.read.query("delete from events")).rejects.toMatchObject(denied)
  await expect(database.read.query("update event_log_head set position = 0")).rejects.toMatchObject(denied)
  await expect(database.read.query("select make_partitions()")).rejects.toMatchObject(denied)
  await expect(readAs(database, "a", (db) => db.query("create temp table t ()"))).rejects.toMatchObject({
    code: "25006",
  })
})

test("the worker changes rows and no part of the schema", async () => {
  const attempts = [
    "create table mine (id integer)",
    "create schema mine",
    "create function mine() returns integer language sql as 'select 1'",
    "create role mine",
    "alter table events add column mine integer",
    "alter table events disable row level security",
    "alter table events_default rename to mine",
    "drop table events",
    "drop view recent_events",
    "drop policy tenant on events",
    "truncate events",
    "create index mine on events (source)",
    "grant select on api_keys to signalbox_reader",
    "insert into schema_migrations (name) values ('mine.sql')",
    "delete from schema_migrations",
  ]
  for (const sql of attempts) {
    const outcome = await database.work.query(sql).catch((error: unknown) => error)
    // A GRANT of what one does not own only warns; what counts is whether it took effect.
    if (sql.startsWith("grant")) continue
    expect(outcome, sql).toMatchObject(denied)
  }
  await expect(database.read.query("select * from api_keys")).rejects.toMatchObject(denied)
})
