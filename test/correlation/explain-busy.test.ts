import { describe, expect, it } from "vitest"
import type { Explanation } from "../../src/core/explanation.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { createExplain } from "../../src/correlation/explain.ts"
import { platforms } from "../../src/platforms/index.ts"
import { readAs } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { createTaken, issue, linearIssue, pr, pullRequest, type Delivery } from "./deliveries.ts"
import { edge, insertEdges, type EdgeRow } from "./graph.ts"

const database = await testDatabase()
const taken = createTaken(database)
const explainIn = createExplain(platforms, createCorrelation({ platforms }), { maxMs: 60_000 })

async function explain(tenant: string, asOf: Date | null = null, from = pr): Promise<Explanation> {
  return readAs(database, tenant, async (db) => explainIn(db, { tenant, from, to: issue, asOf }))
}

const named = { title: "ENG-1: limit requests", body: "Fixes ENG-1", branch: "eng-1-limits" }
/** A pull request whose title, body and branch name the issue, of which that many events tell. */
const busy = (events: number): Delivery[] => [
  linearIssue("create", 0, {}),
  ...Array.from({ length: events }, (_, n) => pullRequest(n === 0 ? "opened" : "synchronize", n, named)),
]
/** When `takeIn` has taken in that many events. */
const after = (events: number) => new Date(Date.UTC(2026, 10, 22) + (events - 1) * 1_000)

describe("two things of which more is stored than an explanation lists", () => {
  it("are not told that what is stored is missing", async () => {
    const { verdict, counterEvidence, nearMiss } = await explain(await taken(busy(72)))
    expect({ verdict, counterEvidence, nearMiss }).toEqual({
      verdict: "linked",
      counterEvidence: [],
      nearMiss: null,
    })
  })

  it("are told what withdrew their link last", async () => {
    const tenant = await taken([
      ...busy(72),
      pullRequest("edited", 100, { title: "Limit requests", body: "", branch: "limits" }),
    ])
    const { verdict, counterEvidence, nearMiss, links } = await explain(tenant)
    expect([verdict, nearMiss?.kind]).toEqual(["withdrawn", "edited"])
    expect(counterEvidence.map(({ kind, field }) => `${kind} ${field}`).toSorted()).toEqual([
      "edited body",
      "edited branch",
      "edited title",
    ])
    expect(links.filter(({ withdrawnBy }) => withdrawnBy !== null)).toHaveLength(3)
  })

  it("are told what withdrew their strong link, beside weak ones without number", async () => {
    const tenant = await taken([
      ...busy(2),
      pullRequest("edited", 100, { title: "Limit requests", body: "", branch: "limits" }),
    ])
    const mention = (): EdgeRow => ({ ...edge(`${pr} ~mentions~> ${issue}`), tenant })
    await insertEdges(database.work, Array.from({ length: 210 }, mention))
    const { verdict, nearMiss } = await explain(tenant)
    expect([verdict, nearMiss?.kind]).toEqual(["shown_only", "edited"])
  })
})

describe("what was known of two things at a time", () => {
  it("is read anew from the events that had come by then, however many came later", async () => {
    const tenant = await taken(busy(40))
    const { verdict, examined, links } = await explain(tenant, after(3))
    expect({ verdict, examined }).toEqual({ verdict: "linked", examined: { events: 3, complete: true } })
    expect(new Set(links.map(({ event }) => event.id)).size).toBe(2)
    expect((await explain(tenant, after(0))).examined).toEqual({ events: 0, complete: true })
  })

  it("is said to be complete where no more had come than is read", async () => {
    const tenant = await taken(busy(30))
    expect((await explain(tenant, after(25))).examined).toEqual({ events: 25, complete: true })
    expect((await explain(tenant, after(26))).examined).toMatchObject({ complete: false })
  })

  it("is not said to be complete for a thing that few events of many were read of", async () => {
    const tenant = await taken(busy(30))
    const { examined } = await explain(tenant, null, "github:pull_request:acme/api#7")
    expect(examined).toEqual({ events: 25, complete: false })
  })
})
