import * as fc from "fast-check"
import { expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import {
  createRepository,
  statusOf,
  takeIn,
  testWriter,
  type Commit,
  type Delivery,
  type PullRequest,
} from "./repository.ts"

const database = await testDatabase()
const writer = testWriter(database)

const kinds = [
  "land",
  "land",
  "open",
  "open on another",
  "open a revert",
  "merge",
  "merge",
  "merge into another",
  "merge into another",
  "revert",
  "cut",
  "pick",
  "deploy",
  "deploy",
  "deploy a branch",
  "roll back",
  "fail",
  "reset",
] as const

/** Something that is done; `choice` says to what. */
type Step = readonly [kind: (typeof kinds)[number], choice: number]

const steps: fc.Arbitrary<Step[]> = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(1000)), {
  minLength: 5,
  maxLength: 30,
})

/** A pull request that adds work, or takes some out. */
interface Work {
  pr: PullRequest
  /** The pull request whose work it is. */
  about: number
  adds: boolean
  /** What it reverts. */
  target: Work | null
  /** The one whose branch it is for; null where it is for the trunk. */
  onto: Work | null
  squash: Commit | null
  branch: Branch | null
}

/** The commits of a branch as it was merged onto a commit. */
interface Branch {
  tip: Commit
  onto: Commit
}

/** What a commit does to what is there. */
type Does =
  | { adds: number }
  /** What a pull request is for, if the commit is the last of its branch. */
  | { whole: Work }
  /** What the commits of a branch did. */
  | { branch: Branch }

/** One of a list, by any number; undefined of an empty one. */
function oneOf<T>(list: readonly T[], choice: number): T | undefined {
  return list[choice % Math.max(list.length, 1)]
}

/** A commit and those beneath it, the latest first. */
function downFrom(commit: Commit | undefined): Commit[] {
  const [parent] = commit?.parents ?? []
  return commit === undefined ? [] : [commit, ...downFrom(parent)]
}

/**
 * Does it, and says what must come of it: for each pull request that adds work of its own, the minute since
 * when its work is in what is deployed, or null. That is found by the content of every commit, of which the
 * hub knows nothing.
 */
function live(history: readonly Step[]) {
  const repository = createRepository()
  const deeds = new Map<Commit, readonly Does[]>()
  const main: Commit[] = [] // heads that main had, and has kept
  const works: Work[] = []
  const releases: string[] = []
  const deployments: { commit: Commit; minute: number }[] = []

  const put = (commit: Commit, ...does: readonly Does[]): Commit => {
    deeds.set(commit, does)
    return commit
  }
  /** What commits of a branch do that are not beneath another commit, oldest first. */
  const done = ({ tip, onto }: Branch): { commit: Commit; does: Does }[] => {
    const beneath = new Set(downFrom(onto))
    return downFrom(tip)
      .filter((commit) => !beneath.has(commit))
      .toReversed()
      .flatMap((commit) => (deeds.get(commit) ?? []).map((does) => ({ commit, does })))
  }
  const apply = (content: Map<number, boolean>, commit: Commit, does: Does): void => {
    if ("adds" in does) content.set(does.adds, true)
    else if ("branch" in does) for (const [about, is] of outcomeOf(does.branch)) content.set(about, is)
    else if (does.whole.pr.head === commit) {
      for (const [about, is] of purposeOf(does.whole)) content.set(about, is)
    }
  }
  /** What a branch does as a whole. */
  const outcomeOf = (branch: Branch): Map<number, boolean> => {
    const outcome = new Map<number, boolean>()
    for (const { commit, does } of done(branch)) apply(outcome, commit, does)
    return outcome
  }
  /** What a pull request is for: work of its own, or to undo all that another did. */
  const purposeOf = ({ pr, target }: Work): Map<number, boolean> => {
    if (target === null) return new Map([[pr.number, true]])
    const undone = target.branch === null ? purposeOf(target) : outcomeOf(target.branch)
    return new Map([...undone].map(([about, is]) => [about, !is]))
  }
  const contentOf = (commit: Commit): ReadonlyMap<number, boolean> => {
    const content = new Map<number, boolean>()
    for (const one of downFrom(commit).toReversed()) {
      for (const does of deeds.get(one) ?? []) apply(content, one, does)
    }
    return content
  }
  const isThere = (commit: Commit, about: number): boolean => contentOf(commit).get(about) === true
  /** Whether a pull request was merged into what a commit stands on, or into a branch that was. */
  const cameWith = (commit: Commit, { squash }: Work): boolean =>
    downFrom(commit).some(
      (one) =>
        one === squash ||
        (deeds.get(one) ?? []).some(
          (does) =>
            "branch" in does && one !== squash && done(does.branch).some((own) => own.commit === squash),
        ),
    )
  const deploy = (commit: Commit): void => {
    repository.deploy(deployments.length + 1, commit)
    deployments.push({ commit, minute: repository.time() })
  }
  /** Opens a pull request: what it does is done by the last commit of its branch. */
  const open = (onto: Work | null, target: Work | null = null): Work => {
    const number = works.length + 1
    const branch = `work-${number}`
    repository.branch(branch, onto === null ? "main" : onto.pr.branch)
    const tip = repository.grow(branch, `Work on change ${number}`)
    const title = target === null ? `Change ${number}` : `Revert "${target.pr.title}"`
    const body = target === null ? {} : { body: `Reverts acme/api#${target.pr.number}` }
    const pr = repository.open(number, title, { branch, ...body })
    const about = target?.about ?? number
    const work: Work = { pr, about, adds: target?.adds !== true, target, onto, squash: null, branch: null }
    put(tip, { whole: work })
    works.push(work)
    return work
  }
  const merge = (work: Work): void => {
    const into = work.onto?.pr.branch ?? "main"
    const branch = { tip: work.pr.head, onto: repository.head(into) }
    const squash = repository.squash(work.pr, into)
    work.squash = squash
    work.branch = branch
    if (work.onto === null) {
      put(squash, { branch })
      main.push(squash)
      return
    }
    // The branch has another last commit now, and with that one it is whole.
    put(squash, { branch }, { whole: work.onto })
    work.onto.pr.head = squash
    repository.update(work.onto.pr)
  }
  /** Something that was merged into what a commit stands on, and not been undone there; for another's branch. */
  const undoable = (commit: Commit, choice: number, onto: Work | null = null): Work | undefined => {
    const kept = onto === null ? new Map() : purposeOf(onto)
    return oneOf(
      works.filter(
        (work) =>
          work.branch !== null &&
          ![...outcomeOf(work.branch).keys()].some((about) => kept.has(about)) &&
          cameWith(commit, work) &&
          isThere(commit, work.about) === work.adds,
      ),
      choice,
    )
  }
  const unmerged = (): Work[] =>
    works.filter(({ squash, onto }) => squash === null && (onto === null || onto.squash === null))

  const begin = put(repository.grow("main", "Begin for good"), { adds: 0 })
  main.push(begin)
  deploy(begin)
  for (const [kind, choice] of history) {
    if (kind === "land") {
      merge(open(null))
    } else if (kind === "open") {
      open(null)
    } else if (kind === "open on another") {
      const onto = oneOf(unmerged(), choice)
      if (onto !== undefined) open(onto)
    } else if (kind === "merge" || kind === "merge into another") {
      const work = oneOf(
        unmerged().filter(({ onto }) => (onto === null) === (kind === "merge")),
        choice,
      )
      if (work !== undefined) merge(work)
    } else if (kind === "revert") {
      const target = undoable(repository.head("main"), choice)
      if (target !== undefined) merge(open(null, target))
    } else if (kind === "open a revert") {
      const onto = oneOf([null, ...unmerged()], choice) ?? null
      const target = undoable(repository.head(onto?.pr.branch ?? "main"), choice, onto)
      if (target !== undefined) open(onto, target)
    } else if (kind === "cut") {
      const name = `release/${releases.length + 1}`
      repository.branch(name, oneOf(main, choice) ?? begin)
      releases.push(name)
    } else if (kind === "pick") {
      const release = oneOf(releases, choice)
      if (release === undefined) continue
      const there = repository.head(release)
      const target = oneOf(
        works.filter(
          ({ about, adds, pr, squash }) =>
            squash !== null &&
            downFrom(repository.head("main")).includes(squash) &&
            isThere(there, about) !== adds &&
            (pr.number === about || !adds),
        ),
        choice,
      )
      const squash = target?.squash ?? null
      const does = squash === null ? undefined : deeds.get(squash)
      if (squash === null || does === undefined) continue
      const message = `${squash.message}\n\n(cherry picked from commit ${squash.sha})`
      put(repository.grow(release, message), ...does)
    } else if (kind === "deploy") {
      deploy(repository.head(oneOf(["main", ...releases], choice) ?? "main"))
    } else if (kind === "deploy a branch") {
      const work = oneOf(works, choice)
      if (work !== undefined) deploy(work.pr.head)
    } else if (kind === "roll back") {
      const before = oneOf(deployments, choice)
      if (before !== undefined) deploy(before.commit)
    } else if (kind === "fail") {
      repository.deploy(5000 + choice, repository.head("main"), { state: "failure" })
    } else {
      const back = Math.max(main.length - 1 - (choice % 3), 0)
      main.length = back + 1
      const head = main[back] ?? begin
      if (repository.head("main") !== head) repository.push("main", head)
    }
  }
  const expected = works
    .filter(({ pr, about }) => pr.number === about)
    .map(({ about }) => {
      const run = deployments.findLastIndex(({ commit }) => !isThere(commit, about)) + 1
      return [about, deployments[run]?.minute ?? null] as const
    })
  return { deliveries: repository.deliveries, expected }
}

it("what is live is what is in the commit that is deployed, whatever was landed, reverted, picked and rolled back", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const { deliveries, expected } = live(history)
      const tenant = await takeIn(writer, deliveries)
      for (const [number, since] of expected) {
        const { live: found } = await statusOf(database, tenant, `github:pull_request:acme/api#${number}`)
        const minutes = found.map((one) => (one.since.getTime() - Date.UTC(2026, 10, 21, 9)) / 60_000)
        expect([number, minutes]).toEqual([number, since === null ? [] : [since]])
      }
    }),
    {
      numRuns: 30,
      examples: [
        // One is reverted, brought back, reverted again, and brought back by a second revert of the first.
        [
          [
            ["land", 0],
            ["revert", 0],
            ["revert", 0],
            ["revert", 0],
            ["land", 0],
            ["revert", 0],
            ["deploy", 0],
          ],
        ],
        // The trunk is set back, so branches made off it may take along what it held; reverts are reverts still.
        [
          [
            ["land", 0],
            ["revert", 0],
            ["revert", 0],
            ["deploy", 0],
            ["land", 0],
            ["land", 0],
            ["reset", 1],
            ["land", 0],
            ["land", 0],
          ],
        ],
        // It is set back, goes on with other branches, and gets back what a branch made before has taken along.
        [
          [
            ["land", 0],
            ["land", 0],
            ["open a revert", 1],
            ["reset", 2],
            ["land", 0],
            ["land", 0],
            ["merge", 0],
            ["land", 0],
            ["deploy", 0],
          ],
        ],
      ],
    },
  )
})

/** What merges alone tell exactly: what happens to a trunk that is never set back. */
const ofTheTrunk: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom("land", "open", "merge", "revert", "open a revert", "deploy", "roll back", "fail"),
    fc.nat(1000),
  ),
  { minLength: 5, maxLength: 30 },
)

function isPush({ headers }: Delivery): boolean {
  return headers["x-github-event"] === "push"
}

it("merges tell as much of a trunk as pushes do, some of which or all were lost", async () => {
  await fc.assert(
    fc.asyncProperty(ofTheTrunk, fc.infiniteStream(fc.nat(3)), async (history, losses) => {
      const { deliveries, expected } = live(history)
      const allOfThem = losses.next().value === 0
      const heard = deliveries.filter((one) => !isPush(one) || (!allOfThem && losses.next().value !== 0))
      const tenant = await takeIn(writer, heard)
      for (const [number, since] of expected) {
        const { live: found } = await statusOf(database, tenant, `github:pull_request:acme/api#${number}`)
        const minutes = found.map((one) => (one.since.getTime() - Date.UTC(2026, 10, 21, 9)) / 60_000)
        expect([number, minutes]).toEqual([number, since === null ? [] : [since]])
      }
    }),
    { numRuns: 15 },
  )
})

it("any order and repetition of the same events gives the same status", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.infiniteStream(fc.nat()), async (history, order) => {
      const { deliveries, expected } = live(history)
      const shuffled = [...deliveries, ...deliveries.filter(() => (order.next().value ?? 0) % 3 === 0)]
        .map((delivery) => ({ delivery, place: order.next().value ?? 0 }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ delivery }) => delivery)
      const tenants = [await takeIn(writer, deliveries), await takeIn(writer, shuffled)]
      const entities = [
        ...expected.map(([number]) => `github:pull_request:acme/api#${number}`),
        "deployment:github/1",
        "deployment:github/2",
      ]
      for (const entity of entities) {
        const [inOrder, shuffledOnes] = await Promise.all(
          tenants.map((tenant) => statusOf(database, tenant, entity)),
        )
        expect(shuffledOnes).toEqual(inOrder)
      }
    }),
    { numRuns: 10 },
  )
})
