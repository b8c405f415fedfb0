/**
 * Which end of a link is the ground that the other end stands on. A deployment stands on its commit,
 * a commit on its pull request, a pull request on its issue, a message on what it is about. A walk
 * goes down to the grounds of a thing and from there up to whatever stands on them, and never down
 * again: a deployment of thirty pull requests belongs to the story of each of them without making one
 * story of the thirty.
 */
export type Ground = "from" | "to" | "both"

// What is not named here (a relation of a user's own rule) joins both ways.
const grounds: Readonly<Record<string, Ground>> = {
  implements: "to",
  names: "to",
  contains: "from",
  head_branch: "from",
  on_branch: "to",
  merge_of: "to",
  pushed_with: "from",
  reverts: "to",
  cherry_picks: "to",
  duplicates: "to",
  deploys: "to",
  ships: "to",
  checks: "to",
  discusses: "to",
  attached: "to",
  relates: "to",
  in_thread: "both",
  same_as: "both",
}

/** The ground of a relation read from → to; `both` where either end carries the other. */
export function groundOf(relation: string): Ground {
  return Object.hasOwn(grounds, relation) ? (grounds[relation] ?? "both") : "both"
}

/**
 * How many things a thread may be about and still be told whole at each of them. One about more (a
 * stand-up, a feed of deployments) shows at each only the messages that name it.
 */
export const maxTopics = 10
