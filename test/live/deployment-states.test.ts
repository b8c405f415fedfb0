import { describe, expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { asker, deployedOnce, pull, type Repository } from "./asked.ts"
import { createRepository, minute, testWriter } from "./repository.ts"

const database = await testDatabase()
const after = asker(database, testWriter(database))

/** A state of a deployment by a tool of its own. */
function tell(repository: Repository, id: string, fields: Record<string, unknown> = {}): void {
  repository.tell({ id, project: "api", ...fields })
}

describe("a success that names no commit", () => {
  it("is of the commit and the repository that an earlier state of the deployment named", async () => {
    const repository = createRepository()
    const repo = { fullName: "acme/api" }
    tell(repository, "d-0", { status: "queued", repo, sha: repository.grow("main", "Begin for good").sha })
    tell(repository, "d-0")
    const { sha } = repository.squash(repository.open(1, "ENG-1: Limit requests"))
    tell(repository, "d-1", { status: "queued", repo, sha })
    tell(repository, "d-1", { status: "in_progress" })
    const building = await after(repository)
    expect(await building.why(pull(1))).toEqual(["production: no deployment there holds acme/api#1"])

    tell(repository, "d-1")
    const { live, status } = await after(repository)
    expect(await live("linear:issue:ENG-1")).toEqual([`production@${repository.time()}`])
    const deployed = await status("deployment:d-1")
    expect(deployed.live).toMatchObject([{ sha }])
    expect(deployed.pullRequests.map(({ entity }) => entity)).toEqual([pull(1)])
  })

  it("is of none as long as nobody has heard of that state", async () => {
    const repository = deployedOnce()
    const { sha } = repository.squash(repository.open(1, "Limit requests"))
    tell(repository, "d-1")
    const then = new Date(Date.UTC(2026, 10, 22) + (repository.deliveries.length - 1) * 1000)
    tell(repository, "d-1", { status: "queued", sha, occurredAt: minute(repository.time() - 1) })
    const { status } = await after(repository)
    expect((await status("deployment:d-1", then)).live).toMatchObject([{ sha: null }])
    expect((await status("deployment:d-1")).live).toMatchObject([{ sha }])
  })
})

/** A repository with one deployment, d-1 of change 1, and change 2 merged. */
function withOneLive() {
  const repository = createRepository()
  tell(repository, "d-0", { sha: repository.grow("main", "Begin for good").sha })
  const first = repository.squash(repository.open(1, "One")).sha
  tell(repository, "d-1", { sha: first })
  const since = `production@${repository.time()}`
  const second = repository.squash(repository.open(2, "Two")).sha
  return { repository, first, second, since }
}

describe("a deployment that is rolled back", () => {
  it.each(["names what is live", "names it in short", "names no commit"])(
    "after it failed changes nothing, where it %s",
    async (how) => {
      const { repository, first, second, since } = withOneLive()
      tell(repository, "d-2", { status: "in_progress", sha: second, prs: ["acme/api#2"] })
      tell(repository, "d-2", { status: "failure", sha: second })
      const sha = { "names what is live": first, "names it in short": first.slice(0, 7) }[how]
      tell(repository, "d-2", { status: "rolled_back", sha })
      const { live, status } = await after(repository)
      expect(await live(pull(1))).toEqual([since])
      expect(await live(pull(2))).toEqual([])
      expect(await live("deployment:d-1")).toEqual([since])
      expect(await status("deployment:d-2")).toMatchObject({
        live: [],
        summary: "rolled back, not live in production",
      })
    },
  )

  it("after it failed puts back what it names, where that is not what was there", async () => {
    const { repository, first, second, since } = withOneLive()
    tell(repository, "d-2", { sha: second })
    tell(repository, "d-3", { status: "failure", sha: repository.grow("main", "Three").sha })
    tell(repository, "d-3", { status: "rolled_back", sha: first })
    const { live } = await after(repository)
    expect(await live(pull(1))).toEqual([since])
    expect(await live(pull(2))).toEqual([])
    expect(await live("deployment:d-3")).toEqual([`production@${repository.time()}`])
  })

  it.each([true, false])("is live no more, nor what it ships, where it names what is: %s", async (names) => {
    const { repository, first, second, since } = withOneLive()
    tell(repository, "d-2", { sha: second, issues: ["ENG-2"], prs: ["acme/api#2"] })
    tell(repository, "d-2", { status: "rolled_back", sha: names ? first : undefined })
    const { live, status } = await after(repository)
    expect(await live(pull(1))).toEqual([since])
    for (const entity of [pull(2), "linear:issue:ENG-2"]) {
      expect([entity, await live(entity)]).toEqual([entity, []])
    }
    expect(await status("deployment:d-2")).toMatchObject({
      live: [],
      pending: [{ reason: "it was rolled back" }],
      summary: "rolled back, not live in production",
    })
    expect(await status("deployment:d-1")).toMatchObject({
      live: [{ deployment: "deployment:d-1", sha: first, since: new Date(minute(repository.time())) }],
      pending: [],
    })
  })

  it("gives its place to what is live, and so does that when it is superseded", async () => {
    const { repository, first } = withOneLive()
    tell(repository, "d-2", { sha: repository.head("main").sha })
    tell(repository, "d-2", { status: "rolled_back", sha: first })
    tell(repository, "d-3", { sha: repository.grow("main", "Three").sha })
    const reason = `deployment:d-3 took its place at ${minute(repository.time())}`
    const { why } = await after(repository)
    expect(await why("deployment:d-1")).toEqual([`production: ${reason}`])
    expect(await why("deployment:d-2")).toEqual(["production: it was rolled back"])
  })

  it.each(["names", "does not name"])(
    "is no ground of what the next one brings, where it %s its own",
    async (how) => {
      const { repository, second } = withOneLive()
      tell(repository, "d-2", { sha: second })
      tell(repository, "d-2", { status: "rolled_back", sha: how === "names" ? second : undefined })
      tell(repository, "d-3", { sha: repository.squash(repository.open(3, "Three")).sha })
      const { status } = await after(repository)
      const { pullRequests } = await status("deployment:d-3")
      expect(pullRequests.map(({ entity }) => entity)).toEqual([pull(2), pull(3)])
    },
  )

  it("to what no deployment is known of leaves none live", async () => {
    const { repository, second } = withOneLive()
    tell(repository, "d-2", { sha: second })
    tell(repository, "d-2", { status: "rolled_back", sha: "5".repeat(40) })
    const { live } = await after(repository)
    expect([await live("deployment:d-1"), await live("deployment:d-2")]).toEqual([[], []])
  })

  it("after the one on top of it leaves what was live before both", async () => {
    const { repository, second, since } = withOneLive()
    tell(repository, "d-2", { sha: second })
    const third = repository.squash(repository.open(3, "Three")).sha
    tell(repository, "d-3", { sha: third })
    tell(repository, "d-3", { status: "rolled_back" })
    const half = await after(repository)
    expect(await half.live("deployment:d-2")).toEqual([`production@${repository.time()}`])
    expect(await half.live(pull(2))).toHaveLength(1)
    tell(repository, "d-2", { status: "rolled_back" })
    const { live, why } = await after(repository)
    expect(await live(pull(1))).toEqual([since])
    expect(await live("deployment:d-1")).toEqual([`production@${repository.time()}`])
    for (const entity of [pull(2), pull(3)]) expect([entity, await live(entity)]).toEqual([entity, []])
    for (const entity of ["deployment:d-2", "deployment:d-3"]) {
      expect([entity, await why(entity)]).toEqual([entity, ["production: it was rolled back"]])
    }
  })

  it.each(["failure", "success"])("names no commit by its own, after %s", async (status) => {
    const { repository, second, since } = withOneLive()
    tell(repository, "d-2", { status: "in_progress", sha: second })
    tell(repository, "d-2", { status, sha: status === "success" ? second : undefined })
    tell(repository, "d-2", { status: "rolled_back", sha: second.slice(0, 10) })
    tell(repository, "d-2", { status: "rolled_back", sha: second, attempt: 2 })
    const { live, why } = await after(repository)
    expect(await live(pull(1))).toEqual([since])
    expect(await live(pull(2))).toEqual([])
    expect(await live("deployment:d-1")).toHaveLength(1)
    expect(await why("deployment:d-2")).toEqual(["production: it was rolled back"])
  })

  it("is itself put back without a commit where another is live", async () => {
    const repository = createRepository()
    for (const number of [1, 2, 3]) tell(repository, `v${number}`, { prs: [`acme/api#${number}`] })
    tell(repository, "v1", { status: "rolled_back" })
    const since = `production@${repository.time()}`
    tell(repository, "v1", { status: "rolled_back", attempt: 2 })
    const { live, why } = await after(repository)
    expect(await live("deployment:v1")).toEqual([since])
    expect(await live(pull(1))).toHaveLength(1)
    for (const entity of [pull(2), pull(3)]) expect([entity, await live(entity)]).toEqual([entity, []])
    for (const entity of ["deployment:v2", "deployment:v3"]) {
      expect([entity, await live(entity)]).toEqual([entity, []])
    }
    expect(await why("deployment:v3")).toEqual([
      `production: deployment:v1 took its place at ${minute(repository.time() - 1)}`,
    ])
  })

  it("to itself is live again", async () => {
    const { repository, first, second } = withOneLive()
    tell(repository, "d-2", { sha: second })
    tell(repository, "d-1", { status: "rolled_back", sha: first, issues: ["ENG-1"] })
    const since = `production@${repository.time()}`
    const { live } = await after(repository)
    expect(await live("deployment:d-1")).toEqual([since])
    expect(await live("linear:issue:ENG-1")).toHaveLength(1)
    expect(await live(pull(2))).toEqual([])
  })
})
