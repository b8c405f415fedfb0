import { beforeAll, expect, it } from "vitest"
import { createPool, readAs, type Db } from "../../src/store/database.ts"
import { listReceipts, type ReceiptQuery } from "../../src/store/list-receipts.ts"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()
const events = 20_000

// A busy source, and one with an event in a thousand.
beforeAll(async () => {
  await database.work.query(
    `insert into events (id, tenant, platform, source, type, name, delivery_id, priority, received_at,
       correlation_id, headers, content_type, raw)
     select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - ($1 - n) * 1000), 12, '0') || '70008000'
         || lpad(to_hex(n), 12, '0'))::uuid,
       'default', 'github', case when n % 1000 = 0 then 'rare' else 'busy' end, 't', 'n', n::text, 'normal',
       now() - ($1 - n) * interval '1 second', 'c', '{}', 'application/json', 'x'
     from generate_series(1, $1::integer) n`,
    [events],
  )
  await database.work.query(
    `insert into source_receipts (id, tenant, platform, source, outcome, code, received_at)
     select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - (5000 - n) * 4000), 12, '0') || '70008000'
         || lpad(to_hex(n), 12, '0'))::uuid, 'default', 'github', 'busy',
       case when n % 1000 = 0 then 'conflict' else 'rejected' end, 'signature_mismatch', now()
     from generate_series(1, 5000) n`,
  )
  const owner = createPool(database.url, { max: 1 })
  await owner.query("analyze events; analyze source_receipts")
  await owner.end()
})

interface PlanNode {
  "Actual Rows": number
  "Rows Removed by Filter"?: number
  Plans?: PlanNode[]
}

/** Runs a listing and answers the most rows that any step of its plan has read. */
async function mostRowsRead(query: ReceiptQuery): Promise<number> {
  return readAs(database, "default", async (db) => {
    let most = 0
    const explaining: Db = {
      async query(text, values) {
        const { rows } = await db.query<{ "QUERY PLAN": { Plan: PlanNode }[] }>(
          `explain (analyze, format json) ${typeof text === "string" ? text : text.text}`,
          values,
        )
        most = Math.max(...[...nodesOf(rows[0]!["QUERY PLAN"][0]!.Plan)].map(rowsRead))
        return db.query("select where false")
      },
    }
    await listReceipts(explaining, query)
    return most
  })
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node
  for (const child of node.Plans ?? []) yield* nodesOf(child)
}

function rowsRead(node: PlanNode): number {
  return node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)
}

const hour = 3_600_000

it.each<[string, Partial<ReceiptQuery>]>([
  ["of a busy source", { source: "busy" }],
  ["of a rare source", { source: "rare" }],
  ["of a source without any", { source: "none" }],
  ["of one outcome", { source: "busy", outcome: "rejected" }],
  ["of an outcome in a thousand", { source: "busy", outcome: "conflict" }],
  ["of accepted ones", { source: "busy", outcome: "accepted" }],
  ["of the last hours", { source: "busy", since: new Date(Date.now() - 2 * hour) }],
  ["after a cursor", { source: "busy", before: "ffffffff-0000-7000-8000-000000000000" }],
])("a page %s reads about as many rows as it has", async (_, query) => {
  expect(await mostRowsRead({ platform: "github", source: "busy", limit: 50, ...query })).toBeLessThanOrEqual(
    120,
  )
})

it("pages hold accepted and other receipts in one order, each once", async () => {
  const seen: string[] = []
  let before: string | undefined
  for (;;) {
    const page = await readAs(database, "default", (db) =>
      listReceipts(db, { platform: "github", source: "busy", limit: 4_000, before }),
    )
    seen.push(...page.map(({ id }) => id))
    if (page.length < 4_000) break
    before = page.at(-1)?.id
  }
  expect(seen).toHaveLength(events - events / 1000 + 5_000)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toEqual(seen.toSorted().toReversed())
})
