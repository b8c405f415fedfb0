import { deployed } from "../../fixtures/correlation/deployment.ts"
import { approved, pullRequestMerged, pullRequestOpened, pushed } from "../../fixtures/correlation/github.ts"
import { pullRequest, type Login, type PullRequest } from "../../fixtures/correlation/github-payload.ts"
import { uuidOf, type StoryRequest } from "../../fixtures/correlation/request.ts"

/** `Mon 09:30` of the story's week, 16 November 2026, in UTC. */
export function at(time: string): Date {
  const [day = "", clock = ""] = time.split(" ")
  const date = 16 + ["Mon", "Tue", "Wed"].indexOf(day)
  return new Date(`2026-11-${date}T${clock.length === 5 ? `${clock}:00` : clock}Z`)
}

/** A deployment of a commit that comes to a state. */
export function deployment(
  id: string,
  status: "in_progress" | "success" | "failure" | "rolled_back" | "canceled",
  sha: string,
  time: string,
  environment: "production" | "staging" = "production",
): StoryRequest {
  const sent = deployed({ id, sha, environment, status: "success", at: at(time) })
  return withFields({ ...sent, label: `${id} ${environment} ${status} ${time}` }, { status })
}

/** The same request with other fields in its body. */
export function withFields(request: StoryRequest, fields: object): StoryRequest {
  return { ...request, body: JSON.stringify({ ...JSON.parse(request.body), ...fields }) }
}

/** What happens to a pull request, and when. */
export interface Course {
  number: number
  title: string
  body?: string
  branch: string
  author: Login
  pushed: string
  opened: string
  reviews?: readonly (readonly [Login, string])[]
  merged?: string
}

/** A pull request pushed, opened, reviewed and squashed into main, and the commit that it became. */
export function course(given: Course): { requests: StoryRequest[]; pr: PullRequest } {
  const { number, title, branch, author, reviews = [], merged } = given
  const pr = pullRequest({
    number,
    title,
    body: given.body ?? "",
    branch,
    author,
    openedAt: at(given.opened),
  })
  const requests = [
    pushed(branch, { sha: pr.headSha, message: "Work" }, author, at(given.pushed)),
    pullRequestOpened(pr),
    ...reviews.map(([by, time]) => approved(pr, by, "Read.", at(time))),
  ]
  if (merged !== undefined) {
    requests.push(
      pullRequestMerged(pr, "maint", at(merged)),
      pushed("main", { sha: pr.mergeSha, message: `${title} (#${number})` }, "maint", at(merged)),
    )
  }
  return { requests, pr }
}

/** Fields of bodies, as far as the tests below change them. */
export interface Body {
  action?: string
  sender?: { type: string }
  base?: { ref: string }
  commits?: { id: string; distinct: boolean; message: string; timestamp: string }[]
  pull_request?: Partial<Record<string, unknown>>
}

/** The same request with another body, as a delivery of its own. */
export function changed(request: StoryRequest, label: string, change: (body: Body) => void): StoryRequest {
  const body: Body = JSON.parse(request.body)
  change(body)
  const headers = { ...request.headers, "x-github-delivery": uuidOf(`${request.label} ${label}`) }
  return { ...request, label: `${request.label}, ${label}`, headers, body: JSON.stringify(body) }
}

/** A pull request opened then. */
export function opened(number: number, time: string, given: Partial<PullRequest> = {}): PullRequest {
  const fields = { title: "Change", body: "", branch: `change-${number}`, author: "dev" as const, ...given }
  return pullRequest({ ...fields, number, openedAt: at(time) })
}

/** GitHub's own `deployment_status`, of a deployment that it asked for itself. */
export function githubStatus(
  id: number,
  sha: string,
  state: string,
  time: string,
  environment = "Production",
): StoryRequest {
  const when = at(time).toISOString().replace(".000Z", "Z")
  return {
    label: `status ${state} of ${id}`,
    platform: "github",
    at: at(time),
    headers: {
      "content-type": "application/json",
      "x-github-event": "deployment_status",
      "x-github-delivery": uuidOf(`${id} ${state} ${time}`),
    },
    body: JSON.stringify({
      action: "created",
      deployment_status: { id: at(time).getTime(), state, environment, created_at: when, updated_at: when },
      deployment: {
        id,
        sha,
        ref: "main",
        task: "deploy",
        environment,
        production_environment: true,
        created_at: when,
      },
      repository: { id: 700_100, full_name: "acme/api", default_branch: "main" },
      sender: { login: "dev", id: 101, type: "User" },
    }),
  }
}
