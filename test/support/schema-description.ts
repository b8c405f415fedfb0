import { createPool } from "../../src/store/database.ts"

/** Every object of the public schema as sorted lines: two databases with the same lines have the same schema. */
export async function describeSchema(url: string): Promise<string[]> {
  const pool = createPool(url, { max: 1 })
  try {
    const { rows } = await pool.query<{ line: string }>(
      `select format('relation %s %s %s rls=%s acl=%s options=%s bound=%s', c.relkind, c.relname, c.relpersistence,
         c.relrowsecurity, (select array_agg(a::text order by a::text) from unnest(c.relacl) a), c.reloptions,
         pg_get_expr(c.relpartbound, c.oid)) as line
       from pg_class c where c.relnamespace = 'public'::regnamespace
       union all
       select format('column %s.%s %s %s not null=%s storage=%s compression=%s default=%s', c.relname, a.attnum, a.attname,
         format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage, a.attcompression,
         (select pg_get_expr(adbin, adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum))
       from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
       union all
       select 'index ' || indexdef from pg_indexes where schemaname = 'public'
       union all
       select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
       where connamespace = 'public'::regnamespace
       union all
       select format('policy %s %s %s %s %s %s', tablename, policyname, roles, cmd, qual, with_check) from pg_policies
       union all
       select 'view ' || viewname || definition from pg_views where schemaname = 'public'
       union all
       select format('function %s acl=%s', pg_get_functiondef(oid), proacl) from pg_proc
       where pronamespace = 'public'::regnamespace
       union all
       select 'migration ' || name from public.schema_migrations
       order by line`,
    )
    return rows.map((row) => row.line)
  } finally {
    await pool.end()
  }
}
