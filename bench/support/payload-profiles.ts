import { octokitExamples } from "../../test/support/octokit-examples.ts"

/** A mix of bodies by name; the sized ones are pushes of so many commits. */
export const profileNames = ["octokit", "12k", "256k", "5m"] as const
export type ProfileName = (typeof profileNames)[number]

/** A body, and the value of X-GitHub-Event that it goes with. */
export interface Payload {
  event: string
  body: Buffer
}

/** How many bodies of a size there are: enough to be unlike each other, few enough to hold in memory. */
const sizes: Readonly<Record<Exclude<ProfileName, "octokit">, { bytes: number; count: number }>> = {
  "12k": { bytes: 12 << 10, count: 64 },
  "256k": { bytes: 256 << 10, count: 16 },
  "5m": { bytes: 5 << 20, count: 4 },
}

/** What the profile's bodies are, in a phrase. */
export function describeProfile(name: ProfileName): string {
  if (name === "octokit") return "@octokit/webhooks-examples, all 329 in turn"
  const { bytes, count } = sizes[name]
  return `${count} pushes of ${bytes >> 10} KiB in turn`
}

/** The bodies of a profile, the same ones each time. */
export function payloadsOf(name: ProfileName): Payload[] {
  const examples = octokitExamples()
  if (name === "octokit") return examples
  return pushesOf(sizes[name], examples)
}

/** So many pushes of a size, unlike each other and the same ones each time. */
export function pushesOf(
  { bytes, count }: { bytes: number; count: number },
  examples = octokitExamples(),
): Payload[] {
  const push = examples.find(({ event }) => event === "push")
  if (push === undefined) throw new Error("no push among the examples")
  return Array.from({ length: count }, (_, index) => ({
    event: "push",
    body: pushOf(push.payload, bytes, randomOf(index + 1)),
  }))
}

/** The example with as many commits as make it `bytes` long or a little longer. */
function pushOf(example: Readonly<Record<string, unknown>>, bytes: number, random: () => number): Buffer {
  const commits: unknown[] = []
  let length = JSON.stringify({ ...example, commits }).length
  while (length < bytes) {
    const commit = commitOf(random)
    commits.push(commit)
    length += JSON.stringify(commit).length + 1
  }
  return Buffer.from(JSON.stringify({ ...example, commits }))
}

const words =
  "add fix drop retry parse cache index route panel query token batch shard the a of for in".split(" ")

function commitOf(random: () => number): object {
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("")
  const word = () => words[Math.floor(random() * words.length)] ?? ""
  const text = (count: number) => Array.from({ length: count }, word).join(" ")
  const paths = (count: number) => Array.from({ length: count }, () => `src/${word()}/${word()}-${hex(3)}.ts`)
  const id = hex(40)
  const author = { name: `Author ${hex(2)}`, email: `${hex(8)}@users.noreply.github.com`, username: hex(6) }
  return {
    id,
    tree_id: hex(40),
    distinct: true,
    message: text(4 + Math.floor(random() * 20)),
    timestamp: new Date(1_700_000_000_000 + Math.floor(random() * 1e10)).toISOString(),
    url: `https://github.com/Codertocat/Hello-World/commit/${id}`,
    author,
    committer: author,
    added: paths(Math.floor(random() * 3)),
    removed: [],
    modified: paths(1 + Math.floor(random() * 5)),
  }
}

/** Numbers from 0 to below 1, the same for the same seed (a linear congruence of 32 bits). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
