import * as fc from "fast-check"
import { deployed } from "../../fixtures/correlation/deployment.ts"
import { approved } from "../../fixtures/correlation/github.ts"
import { pullRequest, type PullRequest } from "../../fixtures/correlation/github-payload.ts"
import { shaOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import {
  linearComment,
  linearIssue,
  linearRelation,
  pullRequestComment,
  pullRequestEvent,
  pushOf,
  repositoryRenamed,
  slackMessage,
  type LinearIssue,
  type Remark,
} from "./history-requests.ts"

/** When every generated history begins; times in it follow from the seed alone. */
export const historyStart = new Date("2026-11-02T09:00:00.000Z")

const numbers = [1, 2, 3]
const many = (count: number) => Array.from({ length: count }, (_, n) => `Closes ENG-${n + 1}`).join("\n")

const sentence = fc.constantFrom(
  ...numbers.flatMap((n) => [
    `Closes ENG-${n}`,
    `ENG-${n}`,
    `Fixes #${n}`,
    `about #${n}`,
    `https://linear.app/acme/issue/ENG-${n}/x`,
    `https://github.com/acme/api/pull/${n}`,
    `Duplicate of #${n}`,
    `Reverts acme/api#${n}`,
    `This reverts commit ${shaOf(`merge of ${n}`)}.`,
    `(cherry picked from commit ${shaOf(`merge of ${n}`)})`,
  ]),
  "nothing",
  // Read one way or another by which keys of teams are known.
  "Closes API-7",
  "as in eng-2 and OPS-3",
  many(6),
  many(30),
)
const text = fc.array(sentence, { maxLength: 3 }).map((sentences) => sentences.join("\n"))
const title = fc.constantFrom(
  "Add limits",
  ...numbers.flatMap((n) => [`ENG-${n} Add limits`, `Revert "ENG-${n} Add limits"`]),
)
const branch = fc.constantFrom("patch-1", ...numbers.map((n) => `dev/eng-${n}-limits`))
const number = fc.constantFrom(...numbers)
/** 0 leaves two events in the same second of a clock that knows no less. */
const afterMs = fc.constantFrom(0, 300, 1_000, 7_000)

type Step = { afterMs: number; delayMs: number } & (
  | { do: "issue"; number: number; action: "create" | "update" | "remove"; text: string; title: string }
  | { do: "move"; number: number }
  | { do: "relate"; number: number; other: number; type: string; action: "create" | "remove" }
  | { do: "note"; number: number; id: number; action: "create" | "update" | "remove"; text: string }
  | { do: "open"; number: number; title: string; text: string; branch: string; bot: boolean }
  | { do: "edit"; number: number; title: string | null; text: string | null }
  | { do: "push"; number: number; message: string }
  | { do: "review"; number: number; text: string }
  | { do: "comment"; number: number; id: number; action: "created" | "edited" | "deleted"; text: string }
  | { do: "merge"; number: number; message: string }
  | { do: "say"; id: number; action: "said" | "edited" | "deleted"; text: string; thread: number | null }
  | { do: "deploy"; number: number; status: "in_progress" | "success"; prs: number[] }
  | { do: "rename" }
)

const id = fc.constantFrom(1, 2, 3)
const change = fc.constantFrom("create" as const, "update" as const, "remove" as const)
const step = fc
  .oneof(
    fc.record({ do: fc.constant("issue" as const), number, action: change, text, title }),
    fc.record({ do: fc.constant("move" as const), number }),
    fc.record({
      do: fc.constant("relate" as const),
      number,
      other: number,
      type: fc.constantFrom("blocks", "duplicate", "related"),
      action: fc.constantFrom("create" as const, "remove" as const),
    }),
    fc.record({ do: fc.constant("note" as const), number, id, action: change, text }),
    fc.record({ do: fc.constant("open" as const), number, title, text, branch, bot: fc.boolean() }),
    fc.record({ do: fc.constant("edit" as const), number, title: fc.option(title), text: fc.option(text) }),
    fc.record({ do: fc.constant("push" as const), number, message: text }),
    fc.record({ do: fc.constant("review" as const), number, text }),
    fc.record({
      do: fc.constant("comment" as const),
      number,
      id,
      action: fc.constantFrom("created" as const, "edited" as const, "deleted" as const),
      text,
    }),
    fc.record({ do: fc.constant("merge" as const), number, message: text }),
    fc.record({
      do: fc.constant("say" as const),
      id,
      action: fc.constantFrom("said" as const, "edited" as const, "deleted" as const),
      text,
      thread: fc.option(id),
    }),
    fc.record({
      do: fc.constant("deploy" as const),
      number,
      status: fc.constantFrom("in_progress" as const, "success" as const),
      prs: fc.subarray(numbers),
    }),
    fc.record({ do: fc.constant("rename" as const) }),
  )
  .chain((doing) =>
    fc.record({ afterMs, delayMs: fc.nat({ max: 9_000 }) }).map((when) => ({ ...doing, ...when })),
  )

/** A webhook and when it reached us. */
export interface Arrival {
  request: StoryRequest
  receivedAt: Date
}

/** Histories as senders would send them, in the order in which they happened. */
export const history: fc.Arbitrary<Arrival[]> = fc
  .array(step, { minLength: 8, maxLength: 40, size: "max" })
  .map((steps) => withLabels(play(steps)))

/** A history that fails is told by what happens in it; the seed brings it back whole. */
function withLabels(arrivals: Arrival[]): Arrival[] {
  const labels = arrivals.map(({ request, receivedAt }) => `${receivedAt.toISOString()} ${request.label}`)
  return Object.assign(arrivals, { [fc.toStringMethod]: () => labels.join("\n") })
}

/** What the steps make of a world of three issues, three pull requests and a channel. */
function play(steps: readonly Step[]): Arrival[] {
  const prs = new Map<number, { pr: PullRequest; bot: boolean; merged: boolean }>()
  const issues = new Map<number, LinearIssue>()
  const remarks = new Map<string, Remark>()
  let now = historyStart.getTime()

  const prOf = (given: number) => {
    const known = prs.get(given)
    if (known !== undefined) return known
    const made = { pr: prAt(given, "Add limits", "", "patch-1"), bot: false, merged: false }
    prs.set(given, made)
    return made
  }
  const prAt = (given: number, called: string, body: string, from: string) =>
    pullRequest({ number: given, title: called, body, branch: from, author: "dev", openedAt: new Date(now) })
  const remarkOf = (kind: string, given: number, said: string): Remark => {
    const key = `${kind} ${given}`
    const remark = { id: given, text: said, createdAt: remarks.get(key)?.createdAt ?? new Date(now) }
    remarks.set(key, remark)
    return remark
  }
  const issueOf = (given: number): LinearIssue =>
    issues.get(given) ?? {
      number: given,
      title: "An issue",
      description: "",
      createdAt: new Date(now),
      previousIdentifiers: [],
    }

  const requestsOf = (taken: Step, at: Date): StoryRequest[] => {
    switch (taken.do) {
      case "issue": {
        const issue = { ...issueOf(taken.number), title: taken.title, description: taken.text }
        issues.set(taken.number, issue)
        return [linearIssue(issue, taken.action, at)]
      }
      case "move": {
        const issue = { ...issueOf(taken.number), previousIdentifiers: [`OPS-${taken.number}`] }
        issues.set(taken.number, issue)
        return [linearIssue(issue, "update", at)]
      }
      case "relate":
        return [linearRelation(taken.number, taken.type, taken.other, taken.action, at)]
      case "note":
        return [linearComment(taken.number, taken.action, remarkOf("note", taken.id, taken.text), at)]
      case "open": {
        const pr = prAt(taken.number, taken.title, taken.text, taken.branch)
        prs.set(taken.number, { pr, bot: taken.bot, merged: false })
        return [pullRequestEvent(pr, "opened", at, { byBot: taken.bot })]
      }
      case "edit": {
        const { pr, bot, merged } = prOf(taken.number)
        const edited = { ...pr, title: taken.title ?? pr.title, body: taken.text ?? pr.body }
        prs.set(taken.number, { pr: edited, bot, merged })
        return [pullRequestEvent(edited, "edited", at, { byBot: bot, merged })]
      }
      case "push": {
        const { pr, bot, merged } = prOf(taken.number)
        const sha = shaOf(`${taken.message} at ${now}`)
        const pushed = { ...pr, headSha: sha }
        prs.set(taken.number, { pr: pushed, bot, merged })
        return [
          pushOf(
            pr.branch,
            [
              { sha: shaOf(`before ${sha}`), message: "wip" },
              { sha, message: `Go on\n\n${taken.message}` },
            ],
            at,
          ),
          pullRequestEvent(pushed, "synchronize", at, { byBot: bot, merged }),
        ]
      }
      case "review":
        return [approved(prOf(taken.number).pr, "maint", taken.text, at)]
      case "comment":
        return [
          pullRequestComment(
            prOf(taken.number).pr,
            taken.action,
            remarkOf("comment", taken.id, taken.text),
            at,
          ),
        ]
      case "merge": {
        const { pr, bot } = prOf(taken.number)
        prs.set(taken.number, { pr, bot, merged: true })
        const message = `${pr.title} (#${pr.number})\n\n${taken.message}`
        return [
          pullRequestEvent(pr, "closed", at, { byBot: bot, merged: true }),
          pushOf("main", [{ sha: pr.mergeSha, message }], at),
        ]
      }
      case "say": {
        const thread = taken.thread === null ? undefined : remarks.get(`say ${taken.thread}`)
        return [slackMessage(taken.action, remarkOf("say", taken.id, taken.text), at, thread)]
      }
      case "deploy":
        return [
          deployed({
            id: `d${taken.number}`,
            sha: prOf(taken.number).pr.mergeSha,
            environment: "production",
            status: taken.status,
            at,
            prs: taken.prs,
          }),
        ]
      case "rename":
        return [repositoryRenamed("old-api", at)]
      default:
        throw new Error(`no such step: ${JSON.stringify(taken satisfies never)}`)
    }
  }

  return steps.flatMap((taken) => {
    now += taken.afterMs
    const receivedAt = new Date(now + taken.delayMs)
    return requestsOf(taken, new Date(now)).map((request) => ({ request, receivedAt }))
  })
}
