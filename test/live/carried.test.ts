import { describe, expect, it } from "vitest"
import type { Status } from "../../src/live/status.ts"
import { testDatabase } from "../support/database.ts"
import { asker, deployedOnce, pull } from "./asked.ts"
import { minute, testWriter } from "./repository.ts"

const database = await testDatabase()
const after = asker(database, testWriter(database))
const brought = ({ pullRequests }: Status): string[] => pullRequests.map(({ entity }) => entity)

describe("a pull request whose own branch is deployed", () => {
  it("is live since then, before it is merged and after", async () => {
    const repository = deployedOnce()
    const pr = repository.open(1, "ENG-1: Mend it", { branch: "hotfix/1" })
    repository.deploy(2, pr.head)
    const since = repository.time()
    const open = await after(repository)
    for (const entity of [pull(1), "linear:issue:ENG-1"]) {
      expect([entity, await open.live(entity)]).toEqual([entity, [`production@${since}`]])
      expect((await open.status(entity)).summary).toBe(`open, live in production since ${minute(since)}`)
    }

    const squash = repository.squash(pr)
    const merged = await after(repository)
    expect((await merged.status("linear:issue:ENG-1")).summary).toBe(
      `merged, live in production since ${minute(since)}`,
    )

    repository.deploy(3, squash)
    expect(await (await after(repository)).live("linear:issue:ENG-1")).toEqual([`production@${since}`])
  })

  it("is not live by a part of it, nor by a head that was forced away", async () => {
    const repository = deployedOnce()
    repository.branch("work-1", "main")
    const begun = repository.grow("work-1", "Begin the change")
    repository.deploy(2, begun)
    const pr = repository.open(1, "A change", { branch: "work-1" })
    pr.head = repository.grow("work-1", "Go on with the change")
    repository.update(pr)
    expect(await (await after(repository)).live(pull(1))).toEqual([])

    repository.deploy(3, pr.head)
    const since = repository.time()
    expect(await (await after(repository)).live(pull(1))).toEqual([`production@${since}`])
    pr.head = repository.push("work-1", repository.commit("Do it otherwise", [repository.head("main")]))
    repository.update(pr)
    expect(await (await after(repository)).live(pull(1))).toEqual([])
    repository.squash(pr)
    expect(await (await after(repository)).live(pull(1))).toEqual([])
  })

  it("is taken out where its revert's own branch is deployed, though that is not merged", async () => {
    const repository = deployedOnce()
    repository.deploy(2, repository.squash(repository.open(1, "Limit requests")))
    repository.branch("undo-1", "main")
    repository.grow("undo-1", "Undo the limits")
    const undo = repository.open(2, 'Revert "Limit requests"', {
      branch: "undo-1",
      body: "Reverts acme/api#1",
    })
    repository.deploy(3, undo.head)
    const { live, status } = await after(repository)
    expect(await live(pull(1))).toEqual([])
    expect((await status(pull(1))).pullRequests).toMatchObject([{ merged: true, revertedBy: null }])
  })
})

describe("what was merged into another pull request's branch", () => {
  it("is live with that one, squashed or rebased, one branch or two away", async () => {
    for (const way of ["squash", "rebase", "merge"] as const) {
      const repository = deployedOnce()
      const base = repository.open(1, "ENG-1: The base of it")
      const middle = repository.open(2, "ENG-2: On top of it", { from: "work-1" })
      repository.squash(repository.open(3, "ENG-3: On top of that", { from: "work-2" }), "work-2")
      middle.head = repository.head("work-2")
      repository.squash(middle, "work-1")
      base.head = repository.head("work-1")
      repository.deploy(2, repository[way](base))
      const since = repository.time()
      repository.squash(repository.open(4, "ENG-4: Too late", { from: "work-1" }), "work-1")
      repository.deploy(3, repository.grow("main", "Something after it"))
      const { live, why, status } = await after(repository)
      for (const number of [1, 2, 3]) {
        const entity = `linear:issue:ENG-${number}`
        expect([way, entity, await live(entity)]).toEqual([way, entity, [`production@${since}`]])
      }
      expect(await why("linear:issue:ENG-4")).toEqual(["production: no deployment there holds acme/api#4"])
      expect((await status(pull(3))).summary).toBe(`merged, live in production since ${minute(since)}`)
    }
  })

  it("is live with the release that a trunk of its own is squashed into", async () => {
    const repository = deployedOnce()
    repository.branch("develop", "main", "The first of development")
    const release = (number: number) => {
      const pr = { ...repository.open(number, `Release ${number}`, { branch: "develop" }) }
      return repository.squash({ ...pr, head: repository.head("develop") })
    }
    repository.squash(repository.open(1, "ENG-1: Kept", { from: "develop" }), "develop")
    repository.squash(repository.open(2, "ENG-2: Not kept", { from: "develop" }), "develop")
    const undo = { from: "develop", body: "Reverts acme/api#2" }
    repository.deploy(2, release(10))
    const first = repository.time()
    expect(await (await after(repository)).live("linear:issue:ENG-2")).toEqual([`production@${first}`])

    repository.squash(repository.open(3, 'Revert "ENG-2: Not kept"', undo), "develop")
    repository.squash(repository.open(4, "ENG-4: Undone before it came", { from: "develop" }), "develop")
    repository.squash(
      repository.open(5, 'Revert "ENG-4"', { from: "develop", body: "Reverts acme/api#4" }),
      "develop",
    )
    expect(await (await after(repository)).live("linear:issue:ENG-2")).toEqual([`production@${first}`])
    repository.deploy(3, release(11))
    const { live } = await after(repository)
    expect(await live("linear:issue:ENG-1")).toEqual([`production@${first}`])
    expect(await live("linear:issue:ENG-2")).toEqual([])
    expect(await live("linear:issue:ENG-4")).toEqual([])
  })

  it("is live with the release branch that was made off there and squashed into the trunk", async () => {
    const repository = deployedOnce()
    repository.branch("develop", "main", "The first of development")
    repository.squash(repository.open(1, "In the release", { from: "develop" }), "develop")
    repository.branch("release/1", "develop")
    repository.squash(repository.open(2, "Too late for it", { from: "develop" }), "develop")
    repository.grow("release/1", "Name the version")
    repository.deploy(2, repository.squash(repository.open(3, "Release 1", { branch: "release/1" })))
    const { live } = await after(repository)
    expect(await live(pull(1))).toEqual([`production@${repository.time()}`])
    expect(await live(pull(2))).toEqual([])
  })

  it("goes with it when that one is reverted", async () => {
    const repository = deployedOnce()
    const base = repository.open(1, "The base of it")
    repository.squash(repository.open(2, "On top of it", { from: "work-1" }), "work-1")
    base.head = repository.head("work-1")
    repository.squash(base)
    const undo = repository.open(3, 'Revert "The base of it"', { body: "Reverts acme/api#1" })
    repository.deploy(2, repository.squash(undo))
    const { live, status } = await after(repository)
    expect(await live(pull(2))).toEqual([])
    expect((await status(pull(2))).summary).toBe("reverted by acme/api#3, not live in production")
  })

  it("is not brought back by a branch that only caught up with the trunk", async () => {
    const repository = deployedOnce()
    repository.squash(repository.open(1, "Limit requests"))
    const pr = repository.open(2, "A long one")
    pr.head = repository.push(
      "work-2",
      repository.commit("Merge branch 'main' into work-2", [pr.head, repository.head("main")]),
    )
    repository.squash(repository.open(3, 'Revert "Limit requests"', { body: "Reverts acme/api#1" }))
    repository.deploy(2, repository.squash(pr))
    expect(await (await after(repository)).live(pull(1))).toEqual([])
  })
})

describe("a deployment", () => {
  it("brought what its pull requests took along, since the one before them that came the same way", async () => {
    const repository = deployedOnce()
    repository.branch("develop", "main", "The first of development")
    const release = (number: number) =>
      repository.squash({
        ...repository.open(number, `Release ${number}`, { branch: "develop" }),
        head: repository.head("develop"),
      })
    const base = repository.open(1, "The base of it", { from: "develop" })
    repository.squash(repository.open(2, "On top of it", { from: "work-1" }), "work-1")
    base.head = repository.head("work-1")
    repository.squash(base, "develop")
    repository.deploy(2, release(10))
    repository.squash(repository.open(3, "The next", { from: "develop" }), "develop")
    repository.deploy(3, release(11))
    const { status } = await after(repository)
    expect(brought(await status("deployment:github/2"))).toEqual([pull(1), pull(2), pull(10)])
    expect(brought(await status("deployment:github/3"))).toEqual([pull(3), pull(11)])
  })

  it("that brought more than a hundred names the first by number, and says that there are more", async () => {
    const repository = deployedOnce()
    for (let number = 1; number <= 102; number++) repository.squash(repository.open(number, "A change"))
    repository.deploy(2, repository.head("main"))
    const { status } = await after(repository)
    const many = await status("deployment:github/2")
    expect(brought(many)).toEqual(Array.from({ length: 100 }, (_, index) => pull(index + 1)))
    expect(many.truncated).toBe(true)
    expect(await status("deployment:github/1")).not.toHaveProperty("truncated")
  })
})
