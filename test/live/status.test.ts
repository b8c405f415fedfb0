import { describe, expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { asker, deployedOnce, pull, type Repository } from "./asked.ts"
import { createRepository, minute, statusOf, takeIn, testWriter } from "./repository.ts"

const database = await testDatabase()
const writer = testWriter(database)
const after = asker(database, writer)

/** A deployment of the repository by a tool of its own. */
function tell(repository: Repository, id: string, fields: Record<string, unknown> = {}): void {
  repository.tell({ id, project: "api", repo: { fullName: "acme/api" }, ...fields })
}

describe("an issue", () => {
  it("is told from its pull request to production", async () => {
    const repository = deployedOnce()
    repository.issue("ENG-123", "Limit requests", "Done")
    const squash = repository.squash(repository.open(42, "ENG-123: Limit requests"))
    const { status: before } = await after(repository)
    expect((await before("linear:issue:ENG-123")).summary).toBe("merged, not live in production")

    const mergedAt = new Date(minute(repository.time()))
    repository.deploy(2, squash)
    const since = new Date(minute(repository.time()))
    const { status } = await after(repository)
    expect(await status("linear:issue:ENG-123")).toMatchObject({
      entity: "linear:issue:ENG-123",
      title: "Limit requests",
      state: "done",
      live: [
        {
          environment: "production",
          kind: "production",
          service: "acme/api",
          since,
          deployment: "deployment:github/2",
          sha: squash.sha,
        },
      ],
      pending: [],
      pullRequests: [
        {
          entity: pull(42),
          state: "merged",
          merged: true,
          mergeCommit: squash.sha,
          revertedBy: null,
          live: [{ environment: "production" }],
        },
      ],
      summary: `merged, live in production since ${minute(repository.time())}`,
    })
    expect((await status("linear:issue:ENG-123")).pullRequests[0]?.mergedAt?.getTime()).toBeLessThanOrEqual(
      mergedAt.getTime(),
    )
  })

  it("is live where all that was merged for it is, and says what is still open", async () => {
    const repository = deployedOnce()
    const first = repository.squash(repository.open(1, "ENG-7: Part one"))
    repository.deploy(2, first)
    const second = repository.squash(repository.open(2, "ENG-7: Part two"))
    repository.open(3, "ENG-7: Part three")
    const half = await after(repository)
    expect(await half.live("linear:issue:ENG-7")).toEqual([])
    expect(await half.why("linear:issue:ENG-7")).toEqual(["production: no deployment there holds acme/api#2"])
    repository.deploy(3, second)
    const { status, live } = await after(repository)
    expect(await live("linear:issue:ENG-7")).toEqual([`production@${repository.time()}`])
    expect((await status("linear:issue:ENG-7")).summary).toContain(
      "merged but for acme/api#3, live in production since",
    )
  })

  it("that a deployment says it ships is live without a commit", async () => {
    const repository = deployedOnce()
    repository.tell({ id: "d-1", project: "shop" })
    repository.tell({ id: "d-2", project: "shop", issues: ["ENG-9"] })
    const shipped = repository.time()
    repository.tell({ id: "d-3", project: "shop" })
    expect(await (await after(repository)).live("linear:issue:ENG-9")).toEqual([`production@${shipped}`])
    repository.tell({ id: "d-3", project: "shop", status: "rolled_back" })
    expect(await (await after(repository)).live("linear:issue:ENG-9")).toEqual([`production@${shipped}`])
  })
})

describe("a pull request", () => {
  it.each(["squash", "merge", "rebase"] as const)(
    "brought in by %s is live with what was deployed since",
    async (way) => {
      const repository = deployedOnce()
      repository.branch("work-42", "main", "Take limits in", "Say so in the header")
      repository[way](repository.open(42, "Limit requests"))
      const { live } = await after(repository)
      expect(await live(pull(42))).toEqual([])
      repository.deploy(2, repository.grow("main", "Something after it"))
      expect(await (await after(repository)).live(pull(42))).toEqual([`production@${repository.time()}`])
    },
  )

  it("is live by the squash alone, where its own events never came", async () => {
    const repository = deployedOnce()
    repository.push("main", repository.commit("Limit requests (#42)", [repository.head("main")]))
    repository.deploy(2, repository.grow("main", "Next"))
    expect(await (await after(repository)).live(pull(42))).toEqual([`production@${repository.time()}`])
  })

  it("is live by its merge commit alone, where no push was ever heard of", async () => {
    const repository = createRepository()
    const heard = repository.deliveries.filter(({ headers }) => headers["x-github-event"] !== "push")
    for (const number of [1, 2, 3])
      repository.deploy(number, repository.squash(repository.open(number, `Change ${number}`)))
    heard.push(...repository.deliveries.filter(({ headers }) => headers["x-github-event"] !== "push"))
    const tenant = await takeIn(writer, heard)
    const status = await statusOf(database, tenant, pull(2))
    expect(status.live).toMatchObject([{ environment: "production", deployment: "deployment:github/2" }])
  })

  it("that is open or was closed is nowhere, and says so", async () => {
    const repository = deployedOnce()
    repository.open(1, "Open")
    repository.close(repository.open(2, "ENG-2: Closed"))
    const { why, status } = await after(repository)
    expect(await why(pull(1))).toEqual(["production: acme/api#1 is not merged"])
    expect(await why(pull(2))).toEqual(["production: acme/api#2 was closed and not merged"])
    expect((await status(pull(1))).summary).toBe("open, not live in production")
    expect((await status("linear:issue:ENG-2")).summary).toBe("not merged, not live in production")
    expect((await status(pull(2))).summary).toBe("closed, not live in production")
  })

  it("has a preview from its head until that is taken down", async () => {
    const repository = deployedOnce()
    const pr = repository.open(1, "Shown beforehand")
    const other = repository.open(2, "Another")
    repository.deploy(5, pr.head, { environment: "Preview", ref: pr.branch })
    const shown = repository.time()
    repository.deploy(6, other.head, { environment: "Preview", ref: other.branch })
    expect(await (await after(repository)).live(pull(1))).toEqual([`preview@${shown}`])
    repository.deploy(5, pr.head, { environment: "Preview", ref: pr.branch, state: "inactive" })
    const { live } = await after(repository)
    expect(await live(pull(1))).toEqual([])
    expect(await live(pull(2))).toHaveLength(1)
  })
})

describe("a deployment", () => {
  it("that failed, was cancelled or is pending changes nothing, and neither does a state that comes late", async () => {
    const repository = deployedOnce()
    const squash = repository.squash(repository.open(42, "Limit requests"))
    for (const [index, state] of ["queued", "in_progress", "failure", "error", "inactive"].entries()) {
      repository.deploy(10 + index, squash, { state })
    }
    expect(await (await after(repository)).live(pull(42))).toEqual([])
    repository.deploy(20, squash)
    const since = repository.time()
    repository.deploy(1, "c".repeat(40), { at: 1.5 }) // of the time before the merge
    repository.deploy(20, squash, { state: "in_progress", at: since - 0.5 })
    expect(await (await after(repository)).live(pull(42))).toEqual([`production@${since}`])
  })

  it("of an older commit takes out what came after it, until that is deployed again", async () => {
    const repository = deployedOnce()
    const first = repository.squash(repository.open(1, "One"))
    repository.deploy(2, first)
    const firstAt = repository.time()
    const second = repository.squash(repository.open(2, "Two"))
    repository.deploy(3, second)
    repository.deploy(4, first)
    const { live, why } = await after(repository)
    expect(await live(pull(1))).toEqual([`production@${firstAt}`])
    expect(await live(pull(2))).toEqual([])
    expect(await why(pull(2))).toEqual([
      `production: acme/api#2 was taken out again with deployment:github/4 at ${minute(repository.time())}`,
    ])
    repository.deploy(5, second)
    expect(await (await after(repository)).live(pull(2))).toEqual([`production@${repository.time()}`])
  })

  it("that is the first known of its environment does not absorb what was there before", async () => {
    const repository = createRepository()
    repository.squash(repository.open(1, "Years ago"))
    repository.deploy(1, repository.squash(repository.open(2, "Today")))
    const first = repository.time()
    repository.deploy(2, repository.squash(repository.open(3, "Tomorrow")))
    const { live, why } = await after(repository)
    expect(await live(pull(1))).toEqual([])
    expect(await why(pull(1))).toEqual([
      "production: acme/api#1 is older than the first deployment that is known there",
    ])
    expect(await live(pull(2))).toEqual([`production@${first}`])
    expect(await live(pull(3))).toEqual([`production@${repository.time()}`])
  })

  it("is told of itself: live, superseded or failed", async () => {
    const repository = deployedOnce()
    const commit = repository.grow("main", "More")
    repository.deploy(2, commit)
    const since = repository.time()
    repository.deploy(3, commit, { state: "failure" })
    const { status } = await after(repository)
    expect((await status("deployment:github/1")).pending).toMatchObject([
      { environment: "production", reason: `deployment:github/2 took its place at ${minute(since)}` },
    ])
    expect((await status("deployment:github/2")).summary).toBe(
      `success, live in production since ${minute(since)}`,
    )
    expect(await status("deployment:github/3")).toMatchObject({
      state: "failure",
      live: [],
      summary: "failure, not live in production",
    })
  })

  it("brings the pull requests since the last success of its environment, whatever failed in between", async () => {
    const repository = createRepository()
    repository.squash(repository.open(1, "Before everything"))
    repository.deploy(1, repository.squash(repository.open(2, "First")))
    repository.deploy(2, repository.squash(repository.open(3, "Failed on the way")), { state: "failure" })
    repository.branch("work-4", "main", "Step by step", "And another step")
    repository.merge(repository.open(4, "Merged"))
    repository.deploy(3, repository.grow("main", "And then"))
    repository.tell({ id: "d-1", project: "elsewhere", prs: ["acme/web#7"] })
    const { status } = await after(repository)
    const brought = async (entity: string) => (await status(entity)).pullRequests.map((one) => one.entity)
    expect(await brought("deployment:github/1")).toEqual([pull(2)])
    expect(await brought("deployment:github/2")).toEqual([])
    expect(await brought("deployment:github/3")).toEqual([pull(3), pull(4)])
    expect(await brought("deployment:d-1")).toEqual(["github:pull_request:acme/web#7"])
  })

  it("to Prod and to production is to one environment, in whatever case", async () => {
    const repository = deployedOnce()
    const squash = repository.squash(repository.open(42, "Limit requests"))
    repository.deploy(2, squash, { environment: "Prod" })
    const since = repository.time()
    repository.deploy(3, repository.grow("main", "Next"), { environment: "PRODUCTION" })
    expect(await (await after(repository)).live(pull(42))).toEqual([`production@${since}`])
  })

  it("names its commit in short, and is understood where that is one commit's", async () => {
    const repository = deployedOnce()
    const squash = repository.squash(repository.open(42, "Limit requests"))
    repository.deploy(2, squash.sha.slice(0, 10))
    expect(await (await after(repository)).live(pull(42))).toEqual([`production@${repository.time()}`])
  })

  it("of a tool that names no repository is known by its commits", async () => {
    const repository = createRepository()
    repository.tell({ id: "d-1", project: "api", sha: repository.grow("main", "Begin").sha })
    repository.squash(repository.open(42, "Limit requests"))
    expect(await (await after(repository)).why(pull(42))).toEqual([
      "production: no deployment there holds acme/api#42",
    ])
    repository.tell({ id: "d-2", project: "api", sha: repository.grow("main", "Next").sha })
    expect(await (await after(repository)).live(pull(42))).toEqual([`production@${repository.time()}`])
  })
})

describe("a revert", () => {
  it("takes a pull request out where it is deployed, and a revert of it puts it back", async () => {
    const repository = deployedOnce()
    repository.deploy(2, repository.squash(repository.open(42, "Limit requests")))
    const first = repository.time()
    const revert = repository.squash(
      repository.open(43, 'Revert "Limit requests"', { body: "Reverts acme/api#42" }),
    )
    const merged = await after(repository)
    expect(await merged.live(pull(42))).toEqual([`production@${first}`])
    expect((await merged.status(pull(42))).summary).toContain(
      "reverted by acme/api#43, live in production since",
    )
    repository.deploy(3, revert)
    const out = await after(repository)
    expect(await out.live(pull(42))).toEqual([])
    expect(await out.why(pull(42))).toEqual([
      `production: acme/api#42 was reverted by acme/api#43 with deployment:github/3 at ${minute(repository.time())}`,
    ])
    const again = repository.open(44, 'Revert "Revert "Limit requests""', { body: "Reverts acme/api#43" })
    repository.deploy(4, repository.squash(again))
    const back = await after(repository)
    expect(await back.live(pull(42))).toEqual([`production@${repository.time()}`])
    expect((await back.status(pull(42))).pullRequests).toMatchObject([{ revertedBy: null }])
  })

  it("by a commit of git's own counts the same", async () => {
    const repository = deployedOnce()
    const squash = repository.squash(repository.open(42, "Limit requests"))
    const revert = repository.grow(
      "main",
      `Revert "Limit requests (#42)"\n\nThis reverts commit ${squash.sha}.`,
    )
    repository.deploy(2, revert)
    expect(await (await after(repository)).live(pull(42))).toEqual([])
    repository.deploy(
      3,
      repository.grow("main", `Reapply "Limit requests (#42)"\n\nThis reverts commit ${revert.sha}.`),
    )
    expect(await (await after(repository)).live(pull(42))).toEqual([`production@${repository.time()}`])
  })

  it("on the trunk leaves a release branch as it is", async () => {
    const repository = deployedOnce()
    repository.squash(repository.open(42, "Limit requests"))
    repository.branch("release/1", "main")
    repository.squash(repository.open(43, 'Revert "Limit requests"', { body: "Reverts acme/api#42" }))
    repository.deploy(2, repository.grow("release/1", "Name the release"))
    expect(await (await after(repository)).live(pull(42))).toEqual([`production@${repository.time()}`])
  })
})

describe("branches", () => {
  it("what is picked onto a release branch is live with it, and the rest of the trunk is not", async () => {
    const repository = deployedOnce()
    repository.branch("release/1", "main")
    repository.squash(repository.open(1, "A feature"))
    const fix = repository.squash(repository.open(2, "A fix"))
    const plain = repository.grow("main", "Another fix of the day")
    repository.grow("release/1", `A fix (#2)\n\n(cherry picked from commit ${fix.sha})`)
    repository.deploy(2, repository.grow("release/1", "Another fix of the day"))
    const { live } = await after(repository)
    expect(await live(pull(1))).toEqual([])
    expect(await live(pull(2))).toEqual([`production@${repository.time()}`])
    expect(await live(`github:commit:${plain.sha}`)).toEqual([`production@${repository.time()}`])
  })

  it("a commit of the same message and author is no copy where it changes other files", async () => {
    const repository = deployedOnce()
    const old = repository.head("main")
    const translations = (...files: string[]) => ({
      ...repository.commit("Update translations", [old]),
      files,
    })
    repository.push("l10n-1", translations("locales/de.json"))
    repository.rebase(repository.open(1, "ENG-1: Translations of November", { branch: "l10n-1" }))
    repository.deploy(2, repository.push("hotfix-1", translations("locales/fr.json")))
    expect(await (await after(repository)).live("linear:issue:ENG-1")).toEqual([])
    repository.branch("unknown-1", old)
    repository.push("unknown-1", translations())
    const untold = repository.push("main", { ...translations(), parents: [repository.head("main")] })
    repository.deploy(3, repository.push("unknown-2", translations()))
    expect(await (await after(repository)).live(`github:commit:${untold.sha}`)).toEqual([])
    repository.deploy(4, repository.push("hotfix-2", translations("locales/de.json")))
    expect(await (await after(repository)).live("linear:issue:ENG-1")).toHaveLength(1)
  })

  it("nor where its author says the same time and again, unless the branch was only rewritten", async () => {
    const repository = deployedOnce()
    const old = repository.head("main")
    const first = repository.grow("main", "Update translations")
    repository.grow("main", "Update translations")
    const fix = repository.grow("main", "Mend the header")
    repository.push("work-1", repository.commit("Mend the header", [old]))
    repository.push("work-1", repository.commit("Mend the header", [old]))
    repository.branch("hotfix", old, "Update translations", "Mend the header")
    repository.deploy(2, repository.head("hotfix"))
    const { live } = await after(repository)
    expect(await live(`github:commit:${first.sha}`)).toEqual([])
    expect(await live(`github:commit:${fix.sha}`)).toHaveLength(1)
  })

  it("a hotfix off an older commit does not hold what the trunk has since", async () => {
    const repository = deployedOnce()
    const old = repository.head("main")
    repository.squash(repository.open(1, "A feature"))
    repository.branch("hotfix", old)
    repository.deploy(2, repository.grow("hotfix", "Mend it"))
    expect(await (await after(repository)).live(pull(1))).toEqual([])
  })

  it("a forced push takes out what it replaced, and sets back to what it went back to", async () => {
    const repository = deployedOnce()
    const kept = repository.squash(repository.open(1, "Kept"))
    const amended = repository.squash(repository.open(2, "Amended away"))
    repository.push("main", repository.commit("Instead of it", [kept]))
    repository.deploy(2, repository.grow("main", "Next"))
    const since = repository.time()
    const { live } = await after(repository)
    expect(await live(pull(1))).toEqual([`production@${since}`])
    expect(await live(`github:commit:${amended.sha}`)).toEqual([])

    repository.squash(repository.open(3, "Dropped one"))
    repository.squash(repository.open(4, "Dropped two"))
    repository.push("main", kept)
    repository.deploy(3, repository.grow("main", "From there on"))
    const back = await after(repository)
    expect(await back.live(pull(1))).toEqual([`production@${since}`])
    expect(await back.live(pull(3))).toEqual([])
    expect(await back.live(pull(4))).toEqual([])
  })

  it("a branch that was deleted and made anew under its name holds nothing of the old one", async () => {
    const repository = deployedOnce()
    repository.branch("release", "main")
    const lost = repository.grow("release", "Lost with the branch")
    repository.deleteBranch("release")
    repository.branch("release", "main")
    repository.deploy(2, repository.grow("release", "Released"))
    expect(await (await after(repository)).live(`github:commit:${lost.sha}`)).toEqual([])
  })

  it("pushes that were missed, and lists that are cut short, lose nothing that a later push stands on", async () => {
    const repository = deployedOnce()
    const first = repository.squash(repository.open(1, "Heard"))
    repository.push("main", repository.commit("Never heard of", [repository.head("main")]), { unheard: true })
    repository.branch("work-2", "main", ...Array.from({ length: 30 }, (_, index) => `Step number ${index}`))
    repository.merge(repository.open(2, "A long one"), "main", 20)
    repository.deploy(2, repository.grow("main", "Next"))
    const { live } = await after(repository)
    for (const entity of [pull(1), pull(2), `github:commit:${first.sha}`]) {
      expect([entity, await live(entity)]).toEqual([entity, [`production@${repository.time()}`]])
    }
  })

  it("pushes of one second are taken in the order in which they stand on each other", async () => {
    const repository = deployedOnce()
    const commits = ["One of them", "Two of them", "Three of them", "Four of them"].map((message) =>
      repository.push("main", repository.commit(message, [repository.head("main")]), { wait: 0 }),
    )
    repository.deploy(2, commits[1]?.sha ?? "")
    const { live } = await after(repository)
    const found = await Promise.all(
      commits.map(async ({ sha }) => (await live(`github:commit:${sha}`)).length),
    )
    expect(found).toEqual([1, 1, 0, 0])
  })
})

describe("what is taken down", () => {
  it("is live no more, by the deployment that was there last alone", async () => {
    const repository = createRepository()
    tell(repository, "d-0", { sha: repository.grow("main", "Begin for good").sha })
    const { sha } = repository.squash(repository.open(1, "ENG-1: Limit requests"))
    tell(repository, "d-1", { sha })
    const since = repository.time()
    tell(repository, "d-0", { status: "inactive" })
    const superseded = await after(repository)
    expect(await superseded.live("linear:issue:ENG-1")).toEqual([`production@${since}`])
    expect((await superseded.status("deployment:d-0")).summary).toBe("inactive, not live in production")

    tell(repository, "d-1", { status: "inactive" })
    const { live, why, status } = await after(repository)
    expect(await live("linear:issue:ENG-1")).toEqual([])
    expect(await why("linear:issue:ENG-1")).toEqual([
      `production: acme/api#1 is there no more: deployment:d-1 is inactive since ${minute(repository.time())}`,
    ])
    expect(await status("deployment:d-1")).toMatchObject({
      live: [],
      pending: [{ reason: "it is inactive" }],
      summary: "inactive, not live in production",
    })

    tell(repository, "d-2", { sha })
    const again = await after(repository)
    expect(await again.live("linear:issue:ENG-1")).toEqual([`production@${repository.time()}`])
    expect(await again.live("deployment:d-2")).toEqual([`production@${repository.time()}`])
  })

  it("in the same moment as something else is put there, was only superseded", async () => {
    const repository = deployedOnce()
    const squash = repository.squash(repository.open(1, "Limit requests"))
    repository.deploy(2, squash)
    const since = repository.time()
    repository.deploy(2, squash, { state: "inactive", at: since + 1 })
    repository.deploy(3, repository.grow("main", "More"), { at: since + 1 })
    expect(await (await after(repository)).live(pull(1))).toEqual([`production@${since}`])
  })

  it("a failure after the success does not do: it says so, and is there", async () => {
    const repository = deployedOnce()
    const squash = repository.squash(repository.open(1, "Limit requests"))
    repository.deploy(2, squash)
    const since = repository.time()
    repository.deploy(2, squash, { state: "failure" })
    const { live, status } = await after(repository)
    expect(await live(pull(1))).toEqual([`production@${since}`])
    expect(await status("deployment:github/2")).toMatchObject({
      state: "failure",
      summary: `success, then failure, live in production since ${minute(since)}`,
    })
  })

  it("of a branch's preview, is the one that was there last too", async () => {
    const repository = deployedOnce()
    const pr = repository.open(1, "Shown beforehand")
    const preview = { environment: "Preview", ref: pr.branch }
    repository.deploy(5, pr.head, preview)
    pr.head = repository.grow(pr.branch, "Shown better")
    repository.update(pr)
    repository.deploy(6, pr.head, preview)
    repository.deploy(5, pr.head, { ...preview, state: "inactive" })
    expect(await (await after(repository)).live(pull(1))).toHaveLength(1)
    repository.deploy(6, pr.head, { ...preview, state: "inactive" })
    expect(await (await after(repository)).live(pull(1))).toEqual([])
  })
})

describe("a commit named in short", () => {
  it("brings what it would by its whole name, and makes known a tool that names no repository", async () => {
    const repository = createRepository()
    repository.tell({
      id: "d-0",
      project: "api",
      sha: repository.grow("main", "Begin for good").sha.slice(0, 10),
    })
    const squash = repository.squash(repository.open(42, "ENG-1: Limit requests"))
    expect(await (await after(repository)).why(pull(42))).toEqual([
      "production: no deployment there holds acme/api#42",
    ])
    repository.tell({ id: "d-1", project: "api", sha: squash.sha.slice(0, 7) })
    const { live, status } = await after(repository)
    expect(await live("linear:issue:ENG-1")).toEqual([`production@${repository.time()}`])
    const { live: here, pullRequests } = await status("deployment:d-1")
    expect(pullRequests.map(({ entity }) => entity)).toEqual([pull(42)])
    expect(here).toMatchObject([{ sha: squash.sha }])
  })

  it("is understood as it was then, whatever commit of the like was heard of later", async () => {
    const repository = deployedOnce()
    const squash = repository.squash(repository.open(1, "ENG-1: Limit requests"))
    repository.deploy(2, squash.sha.slice(0, 7))
    const then = new Date(Date.UTC(2026, 10, 22) + (repository.deliveries.length - 1) * 1000)
    const other = repository.commit("Of the like", [repository.head("main")])
    repository.push("other", { ...other, sha: squash.sha.slice(0, 7) + "0".repeat(33) })
    const { status } = await after(repository)
    expect((await status("linear:issue:ENG-1", then)).live).toHaveLength(1)
  })
})

it("a title is the latest that was known then, whatever came since", async () => {
  const repository = deployedOnce()
  repository.tell({ id: "d-1", project: "api", status: "queued" })
  const then = new Date(Date.UTC(2026, 10, 22) + (repository.deliveries.length - 1) * 1000)
  for (let attempt = 2; attempt < 25; attempt++) {
    repository.tell({ id: "d-1", project: "api", status: "in_progress", attempt })
  }
  const { status } = await after(repository)
  const { title: now } = await status("deployment:d-1")
  const { title } = await status("deployment:d-1", then)
  expect([title, now]).toEqual([expect.stringContaining("queued"), expect.stringContaining("progress")])
})

it("what was pushed straight to the trunk is pushed, and its issue is told by its state or by places alone", async () => {
  const repository = deployedOnce()
  const commit = repository.grow("main", "Fixes ENG-5 by hand")
  const waiting = await after(repository)
  expect((await waiting.status(`github:commit:${commit.sha}`)).summary).toBe("pushed, not live in production")
  expect((await waiting.status("linear:issue:ENG-5")).summary).toBe("not live in production")

  repository.deploy(2, commit)
  const since = minute(repository.time())
  const { status } = await after(repository)
  expect(await status(`github:commit:${commit.sha}`)).toMatchObject({
    state: "pushed",
    summary: `pushed, live in production since ${since}`,
  })
  expect((await status("linear:issue:ENG-5")).summary).toBe(`live in production since ${since}`)
  repository.issue("ENG-5", "Mend it", "Done")
  repository.close(repository.open(7, "ENG-5: Another way"))
  const closed = await after(repository)
  expect((await closed.status("linear:issue:ENG-5")).summary).toBe(`done, live in production since ${since}`)
})
