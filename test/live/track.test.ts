import { expect, it } from "vitest"
import { createAncestry, type Ancestry } from "../../src/live/ancestry.ts"
import type { Change } from "../../src/live/change.ts"
import { followTrack } from "../../src/live/track.ts"
import type { DeploymentState } from "../../src/store/deployment-tracks.ts"
import type { Place } from "../../src/store/live-facts.ts"

const place = { service: "api", environment: "production", branch: "", kind: "production" }
const many = 1_000

function deployed(shas: readonly string[]): DeploymentState[] {
  return shas.map((sha, index) => ({
    ...place,
    deployment: `deployment:d-${index}`,
    status: "success",
    at: new Date(index * 60_000),
    sha,
    repository: "acme/api",
    ref: null,
    url: null,
  }))
}

function changeBy(sha: string): Change {
  const key = `github:commit:${sha}`
  const none = { mergedAt: null, mergeCommit: null, head: null, reverters: [], takenAlongBy: [] }
  return { ...none, key, keys: new Set([key]), carriers: [sha], shippedBy: new Set() }
}

function pushedTo(line: string, shas: readonly string[]): [string, Place[]][] {
  return shas.map((sha, at) => [sha, [{ line, at, after: sha, sha, ordinal: 0 }]])
}

/** What pushes tell, and how often it was asked what holds what. */
function counted(pushes: readonly [string, Place[]][]): { ancestry: Ancestry; asked: () => number } {
  const ancestry = createAncestry({ places: new Map(pushes), turns: new Map(), rank: () => 0 })
  let asked = 0
  const contains = (sha: string, other: string): boolean => {
    asked++
    return ancestry.contains(sha, other)
  }
  return { ancestry: { ...ancestry, contains }, asked: () => asked }
}

const unheard = Array.from({ length: many }, (_, index) => `unheard-${index}`)

it("commits that no push showed are not compared with each other, be there thousands", () => {
  const { ancestry, asked } = counted([])
  const track = { ...place, states: deployed(["first", "change", ...unheard]) }
  const { live } = followTrack(track, ancestry)(changeBy("change"))
  expect(live).toEqual([false, ...Array.from({ length: many + 1 }, () => true)])
  expect(asked()).toBeLessThan(5 * many)
})

it("nor are commits of one line with what is on no line or on another", () => {
  const release = Array.from({ length: many }, (_, index) => `release-${index}`)
  const { ancestry, asked } = counted([
    ...pushedTo("acme/api@main", ["change", "more"]),
    ...pushedTo("acme/api@release", release),
  ])
  const [first = "", ...later] = release
  const states = deployed([first, "change", ...unheard, ...later, "more"])
  const { live } = followTrack({ ...place, states }, ancestry)(changeBy("change"))
  expect(live.map(Number).join("")).toBe(`0${"1".repeat(many + 1)}${"0".repeat(many - 1)}1`)
  expect(asked()).toBeLessThan(5 * 2 * many)
})

it("a commit is asked about what was made at one that no push showed", () => {
  const [line, made] = ["acme/api@release", { at: 5, after: "tip" }]
  const ancestry = createAncestry({
    places: new Map([["tip", [{ line, ...made, sha: "tip", ordinal: 0 }]]]),
    turns: new Map([[line, [{ line, ...made, before: "base", forced: false, commits: 1 }]]]),
    rank: () => 0,
  })
  const states = deployed(["first", "change", "base", "other", "first", "tip"])
  const { live } = followTrack({ ...place, states }, ancestry)(changeBy("change"))
  expect(live).toEqual([false, true, true, true, false, true])
})
