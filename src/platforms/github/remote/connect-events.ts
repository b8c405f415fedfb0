import { SignalboxError } from "../../../core/errors.ts"
import { isEventName } from "../naming.ts"

/**
 * The events that a hook is set up for unless `--events` says otherwise: what moves code, issues and
 * deployments along. Left out are those of every step of every check (workflow_job, check_suite), which
 * come many to a push.
 */
const usualEvents = [
  "branch_protection_rule",
  "check_run",
  "commit_comment",
  "create",
  "delete",
  "deployment",
  "deployment_status",
  "discussion",
  "discussion_comment",
  "issue_comment",
  "issues",
  "label",
  "member",
  "merge_group",
  "milestone",
  "public",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "pull_request_review_thread",
  "push",
  "release",
  "repository",
  "status",
  "workflow_run",
]

/**
 * The events that a hook shall be sent: those asked for; else the usual ones and whatever somebody has
 * added to the hook already. Throws `bad_request` for what is no event's name.
 */
export function eventsFor(asked: string | undefined, present: readonly string[]): string[] {
  if (asked === undefined || asked.trim() === "") {
    return present.includes("*") ? ["*"] : [...new Set([...usualEvents, ...present])].toSorted()
  }
  const events = asked.split(",").map((name) => name.trim())
  if (events.includes("*") || events.includes("all")) return ["*"]
  const wrong = events.find((name) => !isEventName(name))
  if (wrong !== undefined) {
    throw new SignalboxError("bad_request", `--events: "${wrong}" is not the name of one of GitHub's events`)
  }
  return [...new Set(events)].toSorted()
}
