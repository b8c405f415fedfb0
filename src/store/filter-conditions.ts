import type { Filter } from "../core/filter.ts"
import { compilePatterns } from "../core/pattern.ts"
import type { Db } from "./database.ts"

/** Conditions on rows of `event_log l`, with the values of their parameters. */
export interface Conditions {
  /** Adds one, of which `p` is the parameter; nothing where the value is undefined. */
  add(condition: (p: string) => string, value: unknown): void
  /** Adds what a filter asks of columns, all but its `where`; its types as `wantedTypes` names them. */
  addFilter(filter: Filter, types: readonly string[] | undefined): void
  /** All of them, joined. */
  text(): string
  values: unknown[]
}

/** Makes conditions, of which the first is that rows are this tenant's. */
export function createConditions(tenant: string): Conditions {
  const values: unknown[] = [tenant]
  const conditions = ["l.tenant = $1"]
  const add: Conditions["add"] = (condition, value) => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  return {
    add,
    addFilter(filter, types) {
      add((p) => `l.platform = any(${p}::text[])`, filter.platforms)
      add((p) => `l.source = any(${p}::text[])`, filter.sources)
      add((p) => `l.priority = any(${p}::text[])`, filter.priority)
      add((p) => `l.type = any(${p}::text[])`, types)
      add(
        (p) => `(l.actor_id = any(${p}::text[]) or exists (
          select from events e where e.id = l.event_id and e.actor_name = any(${p}::text[])))`,
        filter.actors,
      )
      add(
        (p) => `l.event_id in (
          select event_id from event_log where tenant = $1 and entity = any(${p}::text[])
          union all select event_id from event_references where tenant = $1 and entity = any(${p}::text[]))`,
        filter.entities,
      )
    },
    text: () => conditions.join(" and "),
    values,
  }
}

/**
 * The types that patterns stand for, out of those the tenant has; undefined where any will do. Named
 * one by one, the planner knows how common they are and which index to take.
 */
export async function wantedTypes(
  db: Db,
  tenant: string,
  patterns: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  if (patterns === undefined || patterns.every((pattern) => !pattern.includes("*"))) return patterns
  const matches = compilePatterns(patterns)
  // walks the index from one type to the next
  const { rows } = await db.query<{ type: string }>(
    `with recursive found as (
       select min(type) as type from event_log where tenant = $1
       union all
       select (select min(l.type) from event_log l where l.tenant = $1 and l.type > f.type)
       from found f where f.type is not null
     )
     select type from found where type is not null`,
    [tenant],
  )
  return rows.map(({ type }) => type).filter(matches)
}
