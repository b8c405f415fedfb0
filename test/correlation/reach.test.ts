import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { groundOf } from "../../src/core/relation.ts"
import { readAs } from "../../src/store/database.ts"
import { reach, type ReachLimits } from "../../src/store/reach.ts"
import { testDatabase } from "../support/database.ts"
import { edge, insertEdges, type EdgeRow } from "./graph.ts"

const database = await testDatabase()
let graphs = 0

/** What is reached from `start` in a graph of these edges, by name. */
async function reached(edges: readonly (string | EdgeRow)[], start: string, limits?: ReachLimits) {
  const tenant = `graph${++graphs}`
  const rows = edges.map((one) => ({ ...(typeof one === "string" ? edge(one) : one), tenant }))
  await insertEdges(database.work, rows)
  const { entities, truncated } = await readAs(database, tenant, (db) => reach(db, tenant, start, limits))
  return { names: [...entities.keys()].toSorted(), entities, truncated }
}

const names = async (edges: readonly (string | EdgeRow)[], start: string) =>
  (await reached(edges, start)).names

describe("a walk", () => {
  it("begins with the entity itself, linked or not", async () => {
    expect(await names([], "a")).toEqual(["a"])
  })

  it("goes both ways along strong links", async () => {
    const edges = ["pr -implements-> issue", "pr -contains-> commit", "deployment -deploys-> commit"]
    const all = ["commit", "deployment", "issue", "pr"]
    for (const start of all) expect(await names(edges, start)).toEqual(all)
  })

  it("leaves weak links aside", async () => {
    expect(await names(["pr ~mentions~> issue", "issue ~implements~> other"], "issue")).toEqual(["issue"])
  })

  it("ends where it meets itself", async () => {
    expect(await names(["a -x-> b", "b -x-> c", "c -x-> a"], "b")).toEqual(["a", "b", "c"])
  })

  it("stays within its tenant", async () => {
    await insertEdges(database.work, [{ ...edge("pr -implements-> issue"), tenant: "theirs" }])
    const { entities } = await readAs(database, "ours", (db) => reach(db, "ours", "issue"))
    expect([...entities.keys()]).toEqual(["issue"])
    for (const start of ["pr", "issue"]) {
      const seen = await reach(database.work, "ours", start) // without row-level security
      expect([...seen.entities.keys()]).toEqual([start])
    }
    // and row-level security holds even where the query asks for another's rows
    const other = await readAs(database, "ours", (db) => reach(db, "theirs", "issue"))
    expect([...other.entities.keys()]).toEqual(["issue"])
  })

  it("tells the nearest way, with each edge as it is directed", async () => {
    const { entities } = await reached(
      [
        "pr -implements-> issue",
        "pr -contains-> commit",
        "deployment -deploys-> commit",
        "deployment -ships-> pr",
      ],
      "issue",
    )
    expect(entities.get("issue")).toEqual([])
    expect(entities.get("deployment")).toEqual([
      { from: "pr", to: "issue", relation: "implements" },
      { from: "deployment", to: "pr", relation: "ships" },
    ])
  })
})

describe("no lump comes of", () => {
  const twoStories = ["pr42 -implements-> ENG-123", "pr43 -implements-> ENG-200"]

  it.each([
    ["a deployment of several pull requests", ["d -ships-> pr42", "d -ships-> pr43"], ["d"]],
    [
      "a release that has both merge commits as its head in turn",
      ["pr42 -contains-> c42", "pr43 -contains-> c43", "release -contains-> c42", "release -contains-> c43"],
      ["c42"],
    ],
    ["a message about both", ["m -discusses-> pr42", "m -discusses-> pr43"], ["m"]],
    [
      "a thread about both",
      ["r1 -in_thread-> m", "r2 -in_thread-> m", "r1 -discusses-> pr42", "r2 -discusses-> pr43"],
      ["m", "r1", "r2"],
    ],
    ["a run that checks both", ["run -checks-> pr42", "run -checks-> pr43"], ["run"]],
    [
      "one push of both merge commits by a merge queue",
      ["pr42 -contains-> c42", "pr43 -contains-> c43", "c42 -pushed_with-> c43", "d -deploys-> c43"],
      ["c42", "c43", "d"],
    ],
    ["a pull request for both issues", ["pr42 -implements-> ENG-200"], []],
    ["an incident that relates to both", ["i -relates-> pr42", "i -relates-> pr43"], ["i"]],
    [
      "two pull requests with one head",
      ["pr42 -contains-> c", "pr43 -contains-> c", "d -deploys-> c"],
      ["c", "d"],
    ],
    [
      "a revert of both",
      ["revert -reverts-> pr42", "revert -reverts-> pr43", "revert -contains-> c"],
      ["c", "revert"],
    ],
  ])("%s", async (_, edges, joined) => {
    expect(await names([...twoStories, ...edges], "ENG-123")).toEqual(
      ["ENG-123", "pr42", ...joined].toSorted(),
    )
  })

  it("yet all that a deployment holds is reached from it", async () => {
    expect(
      await names([...twoStories, "d -ships-> pr42", "d -ships-> pr43", "m -discusses-> pr43"], "d"),
    ).toEqual(["ENG-123", "ENG-200", "d", "m", "pr42", "pr43"])
  })
})

describe("links of a user's own relation", () => {
  it("join both ways from wherever they are met", async () => {
    const edges = ["pr -implements-> issue", "pr -behind-> flag", "other -behind-> flag"]
    expect(await names(edges, "issue")).toEqual(["flag", "issue", "other", "pr"])
  })
})

describe("a walk is bounded", () => {
  it("in entities, the nearest first", async () => {
    const edges = ["b -x-> a", "c -x-> b", "d -x-> c"]
    const { names: found, truncated } = await reached(edges, "a", { maxEntities: 3 })
    expect(found).toEqual(["a", "b", "c"])
    expect(truncated).toBe(true)
    expect((await reached(edges, "a", { maxEntities: 4 })).truncated).toBe(false)
  })

  it("in the neighbours of one entity, on either side", async () => {
    const edges = ["h -x-> b1", "h -x-> b2", "h -x-> b3", "a1 -x-> h", "a2 -x-> h"]
    const { names: found, truncated } = await reached(edges, "h", { maxFanOut: 2 })
    expect(found).toEqual(["a1", "a2", "b1", "b2", "h"])
    expect(truncated).toBe(true)
    expect((await reached(edges, "h", { maxFanOut: 3 })).truncated).toBe(false)
  })

  it("counting neighbours, not the events that show them", async () => {
    const edges = Array.from({ length: 50 }, () => edge("pr -implements-> issue"))
    const { names: found, truncated } = await reached([...edges, "pr -contains-> c"], "issue", {
      maxFanOut: 2,
    })
    expect(found).toEqual(["c", "issue", "pr"])
    expect(truncated).toBe(false)
  })
})

const entity = fc.constantFrom("a", "b", "c", "d", "e", "f", "g")
const anyEdge = fc.record({
  from: entity,
  to: entity,
  relation: fc.constantFrom("implements", "contains", "same_as", "own"),
  strength: fc.constantFrom<"strong" | "weak">("strong", "strong", "strong", "weak"),
})

/** The same walk written as plainly as can be: states are (entity, has gone up), to a fixed point. */
function modelReach(edges: readonly EdgeRow[], start: string): string[] {
  const states = new Set([`down ${start}`])
  for (let before = -1; before !== states.size;) {
    before = states.size
    for (const { from, to, relation, strength } of edges) {
      if (strength === "weak") continue
      for (const [here, there, down] of [
        [from, to, groundOf(relation) === "to"],
        [to, from, groundOf(relation) === "from"],
      ] as const) {
        const both = groundOf(relation) === "both"
        if (states.has(`down ${here}`)) states.add(both || down ? `down ${there}` : `up ${there}`)
        if (states.has(`up ${here}`) && (both || !down)) states.add(`up ${there}`)
      }
    }
  }
  return [...new Set([...states].map((state) => state.split(" ")[1] ?? ""))].toSorted()
}

it("any graph, written in any order and any number of times, is reached alike and as the plain walk reaches it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .array(anyEdge, { maxLength: 14 })
        .chain((edges) =>
          fc.tuple(
            fc.constant(edges),
            fc.shuffledSubarray([...edges, ...edges], { minLength: 2 * edges.length }),
          ),
        ),
      entity,
      async ([edges, shuffled], start) => {
        const apart = edges.filter(({ from, to }) => from !== to)
        const one = await reached(apart, start)
        const other = await reached(
          shuffled.filter(({ from, to }) => from !== to),
          start,
        )
        expect(one.names).toEqual(modelReach(apart, start))
        expect([...other.entities]).toEqual([...one.entities])
        // every way is a chain of links from the start to the entity
        for (const [name, path] of one.entities) {
          let at: string = start
          for (const step of path) {
            expect([step.from, step.to]).toContain(at)
            at = step.from === at ? step.to : step.from
          }
          expect(at).toBe(name)
        }
      },
    ),
    { numRuns: 60 },
  )
})
