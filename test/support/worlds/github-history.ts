import type { Fate, GithubWorld } from "./github-state.ts"
import { randomOf } from "./random.ts"

/** Of what the REST API tells, even where no webhook was ever sent. */
const recorded = [
  "openPull",
  "mergePull",
  "closePull",
  "reopenPull",
  "openIssue",
  "closeIssue",
  "reopenIssue",
  "commentIssue",
  "commentPull",
  "review",
  "reviewComment",
  "push",
  "push",
  "release",
  "deploy",
  "deploymentStatus",
]
const unrecorded = ["check", "star"]

export interface HistoryOptions {
  seed: number
  things: number
  /** How many are lost, a third each way. */
  lost: number
  /** When the first happens, and milliseconds between two. */
  from: Date
  everyMs: number
  /** Only what GitHub's records tell of. */
  only?: "recorded"
}

/** Lets things happen in the world's repositories, some of whose deliveries are lost; the same for a seed. */
export async function playHistory(world: GithubWorld, options: HistoryOptions): Promise<void> {
  const { seed, things, lost, from, everyMs, only } = options
  const random = randomOf(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const order = Array.from({ length: things }, (_, index) => ({ index, by: random() })).toSorted(
    (a, b) => a.by - b.by,
  )
  const fates = new Map<number, Fate>()
  const ways: Fate[] = ["hub down", "hub failing", "never sent"]
  for (const [nth, { index }] of order.slice(0, lost).entries()) fates.set(index, ways[nth % 3]!)
  const repositories = [...world.repositories.keys()]
  let sending: Promise<unknown>[] = []
  for (let index = 0; index < things; index++) {
    const fate = fates.get(index) ?? "sent"
    const maker =
      only === "recorded" || fate === "never sent" || random() < 0.8 ? pick(recorded) : pick(unrecorded)
    sending.push(world.happen(pick(repositories), maker, new Date(from.getTime() + index * everyMs), fate))
    if (sending.length < 40) continue
    await Promise.all(sending)
    sending = []
  }
  await Promise.all(sending)
}
