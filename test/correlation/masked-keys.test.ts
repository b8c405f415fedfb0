import { describe, expect, it } from "vitest"
import { canonicalEntityKey } from "../../src/core/entity-key.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createDerive } from "../../src/processing/derive.ts"
import { readAs } from "../../src/store/database.ts"
import { timeline } from "../../src/store/timeline.ts"
import { newEvent } from "../processing/support.ts"
import { testDatabase } from "../support/database.ts"
import { createTaken, github, pullRequest, timeAt, toSecond, type Delivery } from "./deliveries.ts"

const database = await testDatabase()
const taken = createTaken(database)
const derive = createDerive(platforms, createCorrelation({ platforms }).correlate)

const one = `npm_${"a1B2".repeat(9)}`
const other = `npm_${"c3D4".repeat(9)}`
const shown = (key: string) => canonicalEntityKey(key) ?? "no key"
const branchKey = (name: string) => `github:branch:acme/api@${name}`

function push(branch: string, digit: string): Delivery {
  const sha = digit.repeat(40)
  return github("push", {
    ref: `refs/heads/${branch}`,
    before: "0".repeat(40),
    after: sha,
    commits: [{ id: sha, message: "Limit", distinct: true }],
    head_commit: { id: sha, message: "Limit", timestamp: timeAt(1) },
    repository: { id: 7, full_name: "acme/api", default_branch: "main", pushed_at: toSecond(1) },
  })
}

const created = (branch: string) =>
  github("create", { ref: branch, ref_type: "branch", master_branch: "main" })

/** What is written of one delivery. */
function rowsOf({ headers, payload }: Delivery, name: string) {
  const raw = Buffer.from(JSON.stringify(payload))
  const event = newEvent(payload, { platform: "github", name, type: `github.${name}`, headers, raw })
  const blank = { actor: null, entity: null, title: null, url: null, occurredAt: null }
  return derive({ ...event, ...blank, backfilled: false }, 1)
}

const entitiesOf = async (tenant: string, key: string) => {
  const page = await readAs(database, tenant, (db) => timeline(db, tenant, shown(key), { limit: 100 }))
  return page.events.map(({ event }) => `${event.type} ${event.entity}`).toSorted()
}

describe("things whose names hold secrets", () => {
  it("stay apart, and are found by their names as by what is shown of them", async () => {
    const tenant = await taken([
      created(one),
      created(other),
      push(one, "c"),
      push(other, "d"),
      pullRequest("opened", 3, { branch: one }),
    ])
    const story = [
      `github.create.created ${shown(branchKey(one))}`,
      "github.pull_request.opened github:pull_request:acme/api#42",
      `github.push.pushed github:commit:${"c".repeat(40)}`,
    ]
    const types = await entitiesOf(tenant, branchKey(one))
    expect(types).toEqual(story)
    expect(await entitiesOf(tenant, shown(branchKey(one)))).toEqual(types)
    expect(await entitiesOf(tenant, branchKey(other))).toHaveLength(2)
  })

  it("show nothing of the secrets, in no row", () => {
    for (const derived of [rowsOf(created(one), "create"), rowsOf(push(one, "c"), "push")]) {
      const { eventRow, logRow, details, referenceRows, linkRows, stateRows, historyRows } = derived
      const rows = { eventRow, logRow, details, referenceRows, linkRows, stateRows, historyRows }
      expect(JSON.stringify(rows)).toContain("[masked")
      expect(JSON.stringify(rows)).not.toContain(one)
      expect(derived.eventRow).not.toContain('"entity":"github:branch:acme/api@[masked]"')
    }
  })

  it("are as many lines of the code's history as they are", () => {
    const lines = [one, other].map((branch) => {
      const row: unknown = JSON.parse(rowsOf(push(branch, "c"), "push").historyRows[0]?.row ?? "{}")
      return (row as { line: string }).line
    })
    expect(lines[0]).toMatch(/^acme\/api@refs\/heads\/\[masked:[0-9a-f]{8}\]$/)
    expect(lines[1]).not.toBe(lines[0])
  })

  it("are none where the name only begins like a secret", async () => {
    const branches = ["npm_upgrade-all-dependencies", "npm_audit-fix-critical-vulnerabilities"] as const
    const tenant = await taken([created(branches[0]), push(branches[0], "c"), created(branches[1])])
    expect(await entitiesOf(tenant, branchKey(branches[0]))).toHaveLength(2)
    expect(shown(branchKey(branches[0]))).toBe(branchKey(branches[0]))
  })
})

it("evidence has no offsets where a secret within it is masked", () => {
  const address = "https://linear.app/acme/issue/ENG-1"
  const body = `See ${address}?token=${one} and ${address.replace("ENG-1", "ENG-2")}`
  const { referenceRows, linkRows } = rowsOf(pullRequest("opened", 1, { body }), "pull_request")
  const evidence = [...referenceRows, ...linkRows]
    .map(
      (row) =>
        (JSON.parse(row) as { evidence: { field: string; text: string; start?: number; end?: number } })
          .evidence,
    )
    .filter(({ field }) => field === "body")
  expect(evidence).toHaveLength(4)
  const spanned = evidence.filter(({ start }) => start !== undefined)
  expect(spanned.map(({ start, end }) => body.slice(start, end))).toEqual(spanned.map(({ text }) => text))
  expect(spanned).toHaveLength(2)
})
