import type { SweepWindow } from "../../../../core/remote.ts"
import { text } from "../../read.ts"
import type { Client } from "../client.ts"
import type { Hook } from "../hooks.ts"
import { clockSlackMs, type Strand } from "../strand.ts"
import { issueComments, reviewComments } from "./comments.ts"
import { deployments } from "./deployments.ts"
import { issues } from "./issues.ts"
import { pullRequests } from "./pull-requests.ts"
import { pushes } from "./pushes.ts"
import type { RecordSource } from "./record.ts"
import { releases } from "./releases.ts"
import { hookedRepositories } from "./repositories.ts"
import { turns } from "./turns.ts"

interface Kind {
  /** It is read where the hooks are sent one of these. */
  events: readonly string[]
  strand(source: RecordSource): Strand
}

const kinds: readonly Kind[] = [
  { events: ["push"], strand: pushes },
  { events: ["pull_request", "pull_request_review"], strand: pullRequests },
  { events: ["issues"], strand: issues },
  { events: ["issues", "pull_request"], strand: turns },
  { events: ["issue_comment"], strand: issueComments },
  { events: ["pull_request_review_comment"], strand: reviewComments },
  { events: ["release"], strand: releases },
  { events: ["deployment", "deployment_status"], strand: deployments },
]

const allEvents = kinds.flatMap(({ events }) => events)

/** Everything that GitHub's REST API tells of the hooks' repositories and that the hooks are sent. */
export async function recordStrands(
  client: Client,
  hooks: readonly Hook[],
  window: SweepWindow,
  now: () => Date,
): Promise<Strand[]> {
  const since = new Date(window.since.getTime() - clockSlackMs)
  const began = () => new Date(now().getTime() - clockSlackMs)
  const repositories = await hookedRepositories(client, hooks, since)
  return repositories.flatMap(({ repository, events: sent }) => {
    const name = text(repository, "full_name")
    if (name === null) return []
    const events = sent.has("*") ? new Set(allEvents) : sent
    const path = `/repos/${name}`
    const source = { client, repository, name, path, events, since, until: window.until, now: began }
    return kinds
      .filter((kind) => kind.events.some((event) => events.has(event)))
      .map((kind) => kind.strand(source))
  })
}
