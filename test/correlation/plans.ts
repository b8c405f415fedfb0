import type pg from "pg"
import type { Db } from "../../src/store/database.ts"

/** A node of a plan that was carried out. */
export interface PlanNode {
  "Node Type": string
  "Relation Name"?: string
  "Index Name"?: string
  "Actual Rows"?: number
  "Actual Loops"?: number
  "Rows Removed by Filter"?: number
  Plans?: PlanNode[]
}

/** A connection that notes the plan of every query before it runs it, by the query's name. */
export function explaining(db: Db, plans: Map<string, PlanNode[]>): Db {
  return {
    query: async <Row extends pg.QueryResultRow>(query: string | pg.QueryConfig, values?: unknown[]) => {
      if (typeof query === "string") return db.query<Row>(query, values)
      const { rows } = await db.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
        `explain (analyze, format json) ${query.text}`,
        query.values,
      )
      const name = query.name ?? query.text
      plans.set(name, [
        ...(plans.get(name) ?? []),
        ...rows.flatMap((row) => flatten(row["QUERY PLAN"][0].Plan)),
      ])
      return db.query<Row>(query)
    },
  }
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

/** The scans of a table, or of its partitions. */
export function scansOf(plans: readonly PlanNode[], table: string): PlanNode[] {
  return plans.filter((node) => node["Relation Name"]?.startsWith(table))
}

/** Rows that scans looked at, kept or not. */
export function rowsOf(nodes: readonly PlanNode[]): number {
  return nodes.reduce((sum, node) => {
    const rows = (node["Actual Rows"] ?? 0) + (node["Rows Removed by Filter"] ?? 0)
    return sum + rows * (node["Actual Loops"] ?? 1)
  }, 0)
}
