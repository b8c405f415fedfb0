import { describe, expect, it } from "vitest"
import { pushed } from "../../fixtures/correlation/github.ts"
import { shaOf } from "../../fixtures/correlation/request.ts"
import { testDatabase } from "../support/database.ts"
import { at, course, deployment, withFields } from "./analytics-requests.ts"
import { startTakingIn } from "./take-in.ts"
import { createViewOf } from "./view-of.ts"

const database = await testDatabase()
const takeIn = await startTakingIn(database)
const viewOf = createViewOf(database, takeIn)

it("another attempt is a release of its own, and a version that comes again after a rollback", async () => {
  const [a, b] = [shaOf("a"), shaOf("b")]
  const requests = [
    deployment("d-1", "success", a, "Mon 09:00"),
    deployment("d-2", "failure", b, "Mon 10:00"),
    withFields(deployment("d-2", "success", b, "Mon 10:10"), { attempt: 2 }),
    deployment("d-3", "rolled_back", a, "Mon 11:00"),
    deployment("d-4", "success", b, "Mon 12:00"), // mended by a setting, say
    deployment("d-5", "success", b, "Mon 13:00"), // the same again
  ]
  const columns = "deployment, attempt, failure, time_to_restore"
  expect(await viewOf("release_outcomes", columns, "finished_at", requests)).toEqual([
    ["deployment:d-1", "1", "-", "-"],
    ["deployment:d-2", "1", "failed", "10m"],
    ["deployment:d-2", "2", "rolled_back", "50m"],
    ["deployment:d-4", "1", "-", "-"],
    ["deployment:d-5", "1", "-", "-"],
  ])
})

const ownNames = [null, shaOf("b"), shaOf("b").slice(0, 7)]
it.each(ownNames)(
  "a rollback that names no other commit ends what was live, and nothing else: %s",
  async (sha) => {
    const [a, b] = [shaOf("a"), shaOf("b")]
    const requests = [
      deployment("d-1", "success", a, "Mon 09:00"),
      deployment("d-2", "success", b, "Mon 10:00"),
      withFields(deployment("d-2", "rolled_back", b, "Mon 11:00"), { sha }),
      deployment("d-3", "success", b, "Mon 12:00"),
    ]
    const columns = "deployment, failure, restored_at"
    expect(await viewOf("release_outcomes", columns, "finished_at", requests, `names-${sha}`)).toEqual([
      ["deployment:d-1", "-", "-"],
      ["deployment:d-2", "rolled_back", "Mon 11:00"],
      ["deployment:d-3", "-", "-"],
    ])
    const versions = "live_number, sha"
    expect(await viewOf("deployment_runs", versions, "live_at", [], `names-${sha}`)).toEqual([
      ["1", a],
      ["2", b],
      ["3", "-"],
      ["4", b],
    ])
  },
)

const given = { branch: "a", author: "dev", pushed: "Mon 09:00", opened: "Mon 09:10" } as const
const change = course({ ...given, number: 1, title: "Change", merged: "Mon 09:30" })
const revert = course({
  ...given,
  number: 2,
  title: 'Revert "Change"',
  body: "Reverts acme/api#1",
  branch: "revert-1-a",
  merged: "Mon 10:30",
})
/** What was live before the change. */
const base = [
  pushed("main", { sha: shaOf("base"), message: "Base" }, "maint", at("Mon 08:00")),
  deployment("d-0", "success", shaOf("base"), "Mon 08:05"),
]

describe("a release that failed before it went live, and was rolled back", () => {
  const [a, b, c] = [shaOf("a"), shaOf("b"), shaOf("c")]
  const undone = (sha: string | null) => [
    deployment("d-1", "success", a, "Mon 09:00"),
    deployment("d-2", "in_progress", b, "Tue 10:00"),
    deployment("d-2", "failure", b, "Tue 10:05"),
    withFields(deployment("d-2", "rolled_back", b, "Tue 10:15"), { sha }),
  ]
  const columns = "deployment, failure, restored_at, time_to_restore"

  it.each([a, a.slice(0, 7), b, b.slice(0, 7), null])(
    "is the one that failed, whether it names what is live, its own commit or none: %s",
    async (sha) => {
      const requests = [...undone(sha), deployment("d-3", "success", c, "Wed 10:00")]
      const tenant = `undone-${sha}`
      expect(await viewOf("release_outcomes", columns, "finished_at", requests, tenant)).toEqual([
        ["deployment:d-1", "-", "-", "-"],
        ["deployment:d-2", "failed", "Tue 10:15", "10m"],
        ["deployment:d-3", "-", "-", "-"],
      ])
      const runs = "deployment, live_at, live_number, failed_at, put_back_at"
      expect(await viewOf("deployment_runs", runs, "finished_at", [], tenant)).toEqual([
        ["deployment:d-1", "Mon 09:00", "1", "-", "-"],
        ["deployment:d-2", "-", "-", "Tue 10:05", "Tue 10:15"],
        ["deployment:d-3", "Wed 10:00", "2", "-", "-"],
      ])
    },
  )

  it("is well again when the version that is there is put back by a deployment of its own", async () => {
    const requests = [
      ...undone(a).slice(0, 3),
      deployment("d-3", "in_progress", a, "Tue 10:10"),
      deployment("d-3", "rolled_back", a, "Tue 10:20"),
    ]
    expect(await viewOf("release_outcomes", columns, "finished_at", requests, "by-its-own")).toEqual([
      ["deployment:d-1", "-", "-", "-"],
      ["deployment:d-2", "failed", "Tue 10:20", "15m"],
    ])
    expect(await viewOf("deployment_runs", "deployment", "finished_at", [], "by-its-own")).toHaveLength(2)
  })

  it("brings nothing that it lists", async () => {
    const listing = undone(null)
      .slice(2)
      .map((one) => withFields(one, { prs: [1] }))
    const requests = [...base, ...change.requests, ...listing]
    expect(await viewOf("pull_request_deployments", "pull_request", "live_at", requests)).toEqual([])
  })

  it("puts back what it names, where that is not what was there", async () => {
    const requests = [
      deployment("d-1", "success", a, "Mon 09:00"),
      deployment("d-2", "success", b, "Mon 10:00"),
      deployment("d-3", "failure", c, "Mon 10:10"),
      deployment("d-3", "rolled_back", a, "Mon 10:20"),
    ]
    expect(await viewOf("release_outcomes", columns, "finished_at", requests)).toEqual([
      ["deployment:d-1", "-", "-", "-"],
      ["deployment:d-2", "rolled_back", "Mon 10:20", "20m"],
    ])
  })

  it("looks the same from any time on", async () => {
    const requests = [
      ...undone(null),
      deployment("d-3", "rolled_back", a, "Tue 12:00"), // what is there all the time
      deployment("d-4", "success", b, "Wed 10:00"),
      deployment("d-5", "rolled_back", a, "Wed 11:00"),
    ]
    const tenant = "from-any-time"
    await takeIn(tenant, requests)
    const since = async (time: string) => {
      const { rows } = await database.work.query<{ text: string }>(
        `select concat_ws(' ', deployment, failure, restored_at) as text
          from read_release_outcomes($2) where tenant = $1 order by finished_at`,
        [tenant, time],
      )
      return rows.map(({ text }) => text)
    }
    const all = await since("-infinity")
    expect(all.map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual([
      "deployment:d-1",
      "deployment:d-2 failed",
      "deployment:d-4 rolled_back",
    ])
    expect(await since("2026-11-17T10:00:00Z")).toEqual(all.slice(1))
    for (const time of ["2026-11-17T10:10:00Z", "2026-11-17T11:00:00Z", "2026-11-18T00:00:00Z"]) {
      expect([time, await since(time)]).toEqual([time, all.slice(2)])
    }
  })
})

it("landing again what was reverted does not make the revert a failure, nor does a revert after a week", async () => {
  const reland = course({
    ...given,
    number: 3,
    title: 'Revert "Revert "Change""',
    body: "Reverts acme/api#2",
    branch: "revert-2-revert-1-a",
    merged: "Mon 11:30",
  })
  const requests = (last: string) => [
    ...base,
    ...[change, revert, reland].flatMap((one) => one.requests),
    deployment("d-1", "success", change.pr.mergeSha, "Mon 09:40"),
    deployment("d-2", "success", revert.pr.mergeSha, last),
    deployment("d-3", "success", reland.pr.mergeSha, "Wed 12:00"),
  ]
  const columns = "deployment, failure, time_to_restore"
  expect(await viewOf("release_outcomes", columns, "finished_at", requests("Mon 10:40"))).toEqual([
    ["deployment:d-0", "-", "-"],
    ["deployment:d-1", "reverted", "60m"],
    ["deployment:d-2", "-", "-"],
    ["deployment:d-3", "-", "-"],
  ])
  const late = deployment("d-2", "success", revert.pr.mergeSha, "Mon 10:40")
  const inTime = requests("Mon 10:40").filter(({ label }) => label !== late.label)
  expect(
    await viewOf("release_outcomes", columns, "live_at", [
      ...inTime.filter(({ label }) => !label.startsWith("d-3")),
      withFields(late, { occurredAt: "2026-11-23T09:41:00Z" }),
    ]),
  ).toEqual([
    ["deployment:d-0", "-", "-"],
    ["deployment:d-1", "-", "-"],
    ["deployment:d-2", "-", "-"],
  ])
})

it("what is reverted before it goes live was never broken there", async () => {
  const requests = [
    ...base,
    ...change.requests,
    ...revert.requests,
    deployment("d-1", "success", revert.pr.mergeSha, "Mon 10:40"),
  ]
  expect(await viewOf("release_outcomes", "deployment, failure", "finished_at", requests)).toEqual([
    ["deployment:d-0", "-"],
    ["deployment:d-1", "-"],
  ])
})

function putBack(sha: string | null) {
  return withFields(deployment("d-1", "rolled_back", shaOf("b"), "Mon 09:30"), { sha })
}

it("the first release of a place fails like any other, whether its commit is known or not", async () => {
  const first = withFields(deployment("d-1", "success", shaOf("a"), "Mon 09:00"), { sha: null })
  const columns = "deployment, failure, restored_at"
  const failed = [["deployment:d-1", "rolled_back", "Mon 09:30"]]
  expect(await viewOf("release_outcomes", columns, "finished_at", [first, putBack(null)])).toEqual(failed)
  expect(await viewOf("release_outcomes", columns, "finished_at", [first, putBack(shaOf("b"))])).toEqual(
    failed,
  )
})

it.each([
  ["hotfix", true],
  ["hotfixes/login", true],
  ["hot-fix-login", true],
  ["team/hotfix/login", true],
  ["HOTFIX-1", true],
  ["hotfix_login", true],
  ["hotfixture", false],
  ["photo-hotfix", false],
])("a pull request from %s is a hotfix: %s", async (branch, is) => {
  const mend = course({ ...given, number: 2, title: "Mend", branch, merged: "Mon 10:30" })
  const requests = [
    ...base,
    ...change.requests,
    deployment("d-1", "success", change.pr.mergeSha, "Mon 09:40"),
    ...mend.requests,
    deployment("d-2", "success", mend.pr.mergeSha, "Mon 10:40"),
  ]
  expect(await viewOf("release_outcomes", "deployment, failure", "finished_at", requests)).toEqual([
    ["deployment:d-0", "-"],
    ["deployment:d-1", is ? "hotfixed" : "-"],
    ["deployment:d-2", "-"],
  ])
})

function inWest(id: string, time: string, kind: string | null, status: "success" | "failure" = "success") {
  return withFields(deployment(id, status, shaOf(id), time), {
    environment: "eu-west",
    environmentKind: kind,
  })
}

it("an environment has the kind that any of its deployments told, the first that went live before others", async () => {
  const requests = [
    inWest("d-1", "Mon 08:00", "staging", "failure"),
    inWest("d-2", "Mon 09:00", null),
    inWest("d-3", "Mon 10:00", "production"),
    inWest("d-4", "Mon 11:00", null),
    inWest("d-5", "Mon 12:00", "test"),
  ]
  const rows = await viewOf("deployment_runs", "deployment, environment_kind", "finished_at", requests)
  expect(rows).toEqual([1, 2, 3, 4, 5].map((number) => [`deployment:d-${number}`, "production"]))
})
