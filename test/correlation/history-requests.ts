import {
  fullName,
  githubUsers,
  pullRequestBody,
  repository,
  organization,
  type PullRequest,
} from "../../fixtures/correlation/github-payload.ts"
import { shaOf, toSecond, uuidOf, type StoryRequest } from "../../fixtures/correlation/request.ts"

// Webhooks of the sort that the story has none of: edits, deletions, comments, relations.

const sender = githubUsers.dev
const bot = { login: "dependabot[bot]", id: 49_699_333, type: "Bot" }

/** A text that comes and goes: a comment, a message. */
export interface Remark {
  id: number
  text: string
  createdAt: Date
}

/** `pull_request` with any action, as the pull request stands then. */
export function pullRequestEvent(
  pr: PullRequest,
  action: string,
  at: Date,
  { byBot = false, merged = false }: { byBot?: boolean; merged?: boolean } = {},
): StoryRequest {
  const body = pullRequestBody(pr, at, merged ? "maint" : undefined)
  return github(`#${pr.number} ${action}`, "pull_request", at, {
    action,
    number: pr.number,
    pull_request: { ...body, user: byBot ? bot : sender },
  })
}

/** `issue_comment` on a pull request. */
export function pullRequestComment(pr: PullRequest, action: string, remark: Remark, at: Date): StoryRequest {
  return github(`comment ${remark.id} ${action}`, "issue_comment", at, {
    action,
    issue: {
      ...issueBody(pr, at),
      pull_request: { url: `https://api.github.com/repos/${fullName}/pulls/${pr.number}` },
    },
    comment: {
      id: remark.id,
      node_id: `IC_${remark.id}`,
      html_url: `https://github.com/${fullName}/pull/${pr.number}#issuecomment-${remark.id}`,
      user: sender,
      body: remark.text,
      created_at: toSecond(remark.createdAt),
      updated_at: toSecond(at),
    },
  })
}

function issueBody(pr: PullRequest, at: Date) {
  return {
    id: 500_000 + pr.number,
    number: pr.number,
    title: pr.title,
    body: pr.body,
    user: sender,
    state: "open",
    html_url: `https://github.com/${fullName}/pull/${pr.number}`,
    created_at: toSecond(pr.openedAt),
    updated_at: toSecond(at),
  }
}

/** `push` of several commits, the last of them the head. */
export function pushOf(
  branch: string,
  commits: readonly { sha: string; message: string }[],
  at: Date,
): StoryRequest {
  const listed = commits.map(({ sha, message }) => ({
    id: sha,
    distinct: true,
    message,
    timestamp: toSecond(at),
    author: { name: "dev", username: "dev" },
  }))
  const after = commits.at(-1)?.sha ?? shaOf(branch)
  return github(`push of ${after.slice(0, 7)} to ${branch}`, "push", at, {
    ref: `refs/heads/${branch}`,
    before: shaOf(`before ${after}`),
    after,
    created: false,
    deleted: false,
    forced: false,
    commits: listed,
    head_commit: listed.at(-1),
    pusher: { name: "dev" },
  })
}

/** `repository` with action `renamed`: from another name to the one it has. */
export function repositoryRenamed(from: string, at: Date): StoryRequest {
  return github(`renamed from ${from}`, "repository", at, {
    action: "renamed",
    changes: { repository: { name: { from } } },
  })
}

/** A GitHub delivery of any event. */
function github(label: string, event: string, at: Date, body: object): StoryRequest {
  return {
    label,
    platform: "github",
    at,
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": uuidOf(`${label} ${at.toISOString()} ${JSON.stringify(body).length}`),
    },
    body: JSON.stringify({ ...body, repository: repository(at), organization, sender }),
  }
}

const team = { id: uuidOf("linear team"), key: "ENG", name: "Engineering" }

/** A Linear issue as its webhooks hold it. */
export interface LinearIssue {
  number: number
  title: string
  description: string
  createdAt: Date
  previousIdentifiers: readonly string[]
}

const idOf = (number: number): string => uuidOf(`linear issue ${number}`)

/** `Issue` with any action. */
export function linearIssue(issue: LinearIssue, action: string, at: Date): StoryRequest {
  const { number, title, description, createdAt, previousIdentifiers } = issue
  const identifier = `ENG-${number}`
  return linear(`${identifier} ${action}`, "Issue", action, at, {
    id: idOf(number),
    createdAt: createdAt.toISOString(),
    updatedAt: at.toISOString(),
    number,
    identifier,
    title,
    description,
    team,
    previousIdentifiers,
    state: { id: uuidOf("linear todo"), name: "Todo", type: "unstarted" },
    url: `https://linear.app/acme/issue/${identifier}/x`,
  })
}

/** `Comment` on an issue. */
export function linearComment(number: number, action: string, remark: Remark, at: Date): StoryRequest {
  return linear(`comment ${remark.id} on ENG-${number} ${action}`, "Comment", action, at, {
    id: uuidOf(`linear comment ${remark.id}`),
    createdAt: remark.createdAt.toISOString(),
    updatedAt: at.toISOString(),
    body: remark.text,
    issueId: idOf(number),
    issue: { id: idOf(number), identifier: `ENG-${number}`, title: "x", team },
  })
}

/** `IssueRelation`: one issue blocks, duplicates or relates to another. */
export function linearRelation(
  from: number,
  type: string,
  to: number,
  action: string,
  at: Date,
): StoryRequest {
  return linear(`ENG-${from} ${type} ENG-${to} ${action}`, "IssueRelation", action, at, {
    id: uuidOf(`relation ${from} ${to}`),
    createdAt: at.toISOString(),
    updatedAt: at.toISOString(),
    type,
    issueId: idOf(from),
    relatedIssueId: idOf(to),
  })
}

function linear(label: string, type: string, action: string, at: Date, data: object): StoryRequest {
  return {
    label,
    platform: "linear",
    at,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "linear-delivery": uuidOf(`${label} ${at.toISOString()}`),
      "linear-event": type,
    },
    body: JSON.stringify({
      action,
      type,
      actor: { id: uuidOf("linear dev"), name: "Dev Example", type: "user" },
      createdAt: at.toISOString(),
      organizationId: uuidOf("linear organization"),
      webhookTimestamp: at.getTime(),
      webhookId: uuidOf("linear webhook"),
      data,
    }),
  }
}

const channel = "C0BACKEND1"

/** A message of Slack: said, edited (`message_changed`) or deleted (`message_deleted`). */
export function slackMessage(
  action: "said" | "edited" | "deleted",
  remark: Remark,
  at: Date,
  thread?: Remark,
): StoryRequest {
  const ts = slackTs(remark)
  const said = {
    type: "message",
    user: "U0DEV00001",
    text: remark.text,
    ts,
    ...(thread === undefined ? {} : { thread_ts: slackTs(thread) }),
  }
  const eventTs = `${(at.getTime() / 1000).toFixed(3)}900`
  const about = { type: "message", channel, event_ts: eventTs }
  const event =
    action === "said"
      ? { ...said, channel, event_ts: ts, channel_type: "channel" }
      : action === "edited"
        ? {
            ...about,
            subtype: "message_changed",
            message: { ...said, edited: { user: "U0DEV00001", ts: eventTs } },
            previous_message: said,
          }
        : { ...about, subtype: "message_deleted", deleted_ts: ts, previous_message: said }
  const id = uuidOf(`slack ${action} ${ts} ${eventTs}`).replaceAll("-", "").slice(0, 10).toUpperCase()
  return {
    label: `message ${remark.id} ${action}`,
    platform: "slack",
    at,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      team_id: "T0ACME001",
      api_app_id: "A0SIGNAL01",
      type: "event_callback",
      event_id: `Ev${id}`,
      event_time: Math.floor(at.getTime() / 1000),
      event,
      authorizations: [{ team_id: "T0ACME001", user_id: "U0SIGNAL01", is_bot: true }],
    }),
  }
}

function slackTs({ id, createdAt }: Remark): string {
  return `${Math.floor(createdAt.getTime() / 1000)}.${String(id).padStart(6, "0")}`
}
