import { describe, expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { asker, deployedOnce, pull, type Repository } from "./asked.ts"
import { createRepository, testWriter } from "./repository.ts"

const database = await testDatabase()
const after = asker(database, testWriter(database))

/** The same with no push that anybody heard of. */
function withoutPushes(repository: Repository): Repository {
  const deliveries = repository.deliveries.filter(({ headers }) => headers["x-github-event"] !== "push")
  return { ...repository, deliveries }
}

/** Merges a pull request, and the push of that is lost. */
function mergeUnheard(repository: Repository, number: number, title = `Change ${number}`) {
  const pr = repository.open(number, title)
  const told = repository.deliveries.length
  const squash = repository.squash(pr)
  repository.deliveries.splice(told, 1)
  return squash
}

describe("a merge that no push showed", () => {
  it("is live with a later one, since that", async () => {
    const repository = deployedOnce()
    repository.squash(repository.open(1, "ENG-1: One"))
    repository.deploy(2, repository.squash(repository.open(2, "Two")))
    const since = repository.time()
    const { live } = await after(withoutPushes(repository))
    for (const entity of [pull(1), "linear:issue:ENG-1", pull(2)]) {
      expect([entity, await live(entity)]).toEqual([entity, [`production@${since}`]])
    }
  })

  it("is live with what was pushed after it, where its push alone was lost", async () => {
    const repository = deployedOnce()
    mergeUnheard(repository, 1)
    repository.deploy(2, repository.squash(repository.open(2, "Two")))
    expect(await (await after(repository)).live(pull(1))).toEqual([`production@${repository.time()}`])
  })

  it("stands on what was pushed before it, where its push alone was lost", async () => {
    const repository = deployedOnce()
    repository.squash(repository.open(1, "One"))
    repository.deploy(2, mergeUnheard(repository, 2))
    expect(await (await after(repository)).live(pull(1))).toEqual([`production@${repository.time()}`])
  })

  it("is taken out by a rollback to an earlier one that was never deployed", async () => {
    const repository = deployedOnce()
    const first = repository.squash(repository.open(1, "One"))
    repository.deploy(2, repository.squash(repository.open(2, "Two")))
    const since = repository.time()
    repository.deploy(3, first)
    const { live } = await after(withoutPushes(repository))
    expect(await live(pull(1))).toEqual([`production@${since}`])
    expect(await live(pull(2))).toEqual([])
  })

  it("is live with the release that its branch is squashed into", async () => {
    const repository = deployedOnce()
    repository.branch("develop", "main", "The first of development")
    repository.squash(repository.open(1, "One", { from: "develop" }), "develop")
    repository.squash(repository.open(2, "Two", { from: "develop" }), "develop")
    const release = {
      ...repository.open(10, "Release", { branch: "develop" }),
      head: repository.head("develop"),
    }
    repository.deploy(2, repository.squash(release))
    const { live, status } = await after(withoutPushes(repository))
    expect(await live(pull(1))).toEqual([`production@${repository.time()}`])
    expect((await status("deployment:github/2")).pullRequests.map(({ entity }) => entity)).toEqual([
      pull(1),
      pull(2),
      pull(10),
    ])
  })

  it("is among what a deployment brought, and what is older than the first is not", async () => {
    const repository = createRepository()
    repository.squash(repository.open(1, "Before everything"))
    repository.deploy(1, repository.squash(repository.open(2, "First")))
    repository.squash(repository.open(3, "Third"))
    repository.deploy(2, repository.squash(repository.open(4, "Fourth")))
    const { status, why } = await after(withoutPushes(repository))
    const brought = async (entity: string) => (await status(entity)).pullRequests.map((one) => one.entity)
    expect(await brought("deployment:github/1")).toEqual([pull(2)])
    expect(await brought("deployment:github/2")).toEqual([pull(3), pull(4)])
    expect(await why(pull(1))).toEqual([
      "production: acme/api#1 is older than the first deployment that is known there",
    ])
  })

  it("makes known a tool that names no repository, and commits that are named in short", async () => {
    const repository = createRepository()
    repository.tell({ id: "d-0", project: "api", sha: repository.grow("main", "Begin for good").sha })
    repository.squash(repository.open(1, "One"))
    const { sha } = repository.squash(repository.open(2, "Two"))
    repository.tell({ id: "d-1", project: "api", sha: sha.slice(0, 7) })
    const { live, status } = await after(withoutPushes(repository))
    expect(await live(pull(1))).toEqual([`production@${repository.time()}`])
    expect((await status("deployment:d-1")).live).toMatchObject([{ sha }])
  })

  it("counts since it was heard of", async () => {
    const repository = deployedOnce()
    mergeUnheard(repository, 1)
    const merge = repository.deliveries.pop()
    repository.deploy(2, repository.squash(repository.open(2, "Two")))
    const then = new Date(Date.UTC(2026, 10, 22) + (repository.deliveries.length - 1) * 1000)
    if (merge !== undefined) repository.deliveries.push(merge)
    const { status } = await after(repository)
    expect((await status(pull(1), then)).live).toEqual([])
    expect((await status(pull(1))).live).toHaveLength(1)
  })
})
