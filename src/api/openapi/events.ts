import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import { query } from "../events.ts"
import { event } from "./event.ts"
import { count, pageOf } from "./shapes.ts"

const group = "Events"

/** What is posted to submit an event, by platform: the schemas of these are the platforms' own. */
export interface SubmittedBodies {
  custom: z.ZodType
  deployment: z.ZodType
}

const accepted = z.object({
  eventId: z.uuid(),
  duplicate: z.boolean().describe("Whether an event of this key and body was there before."),
})

const idempotency = {
  "Idempotency-Key":
    "The same key and body is the same event, however often it is sent; the same key with another body is a 409. Without it every request is an event of its own.",
}

const submission = {
  group,
  scope: "events:write",
  headers: idempotency,
  answers: { 202: { words: "It is committed, and will be processed.", schema: accepted } },
  problems: [409, 415],
} as const

const common = {
  correlationId: "Ties events that you know belong together.",
  causationId: "Id of the event that caused this one.",
  occurredAt: "When it happened, RFC 3339; the time of arrival without it.",
  actor: "Who did it: a name, or `{id, name, bot}`.",
  url: "Where people see it.",
}

/** `/api/v1/events` and `/api/v1/deployments`. */
export function eventRouteDescriptions({ custom, deployment }: SubmittedBodies): RouteDescription[] {
  return [
    {
      ...submission,
      method: "post",
      path: "/api/v1/events",
      summary: "Submit an event of your own",
      details: "Takes an event of the platform `custom`. It is answered once it is committed.",
      body: { schema: custom },
      words: {
        ...common,
        type: "Two or more words joined by dots, the first not another platform's name: `billing.invoice.paid`.",
        payload: "Any JSON.",
        entity: "Key of what it is about: `billing:invoice:42`, `linear:issue:ENG-123`.",
        title: "One line for people.",
        priority: "How soon it is processed.",
        references: "What else it mentions: `{entity, relation}`, 500 at most.",
      },
    },
    {
      ...submission,
      method: "post",
      path: "/api/v1/deployments",
      summary: "Report a deployment",
      details: "Takes a state that a deployment came to, from any tool. It is answered once it is committed.",
      body: { schema: deployment },
      words: {
        ...common,
        id: "Names the deployment within its provider; all its states share it.",
        provider: "The tool that deploys.",
        status:
          "`queued`, `in_progress`, `success`, `failure`, `canceled`, `inactive` or `rolled_back`, or what tools call the same.",
        project: "What is deployed, where it has a name apart from the repository.",
        repo: 'The repository: `{fullName: "acme/api"}`.',
        sha: "Commit that is deployed; of `rolled_back`, the one that is live again. The one that was rolled back counts as none.",
        ref: "Branch or tag that is deployed.",
        environment: "As you call it.",
        environmentKind: "`production`, `staging`, `preview`, …; read from `environment` without it.",
        logUrl: "Where its log is.",
        previousSha: "Commit that was live there before.",
        prs: "Pull requests that it brings: numbers, `owner/name#42` or URLs.",
        issues: "Issues that it brings: numbers, `owner/name#42`, `ENG-123` or URLs.",
        attempt: "Counts the times that one state is reached anew, from 1.",
      },
    },
    history("/api/v1/events", "Search the history of events"),
    history("/api/v1/events/history", "Search the history of events (another name of the same)"),
    {
      method: "get",
      path: "/api/v1/events/{id}",
      group,
      summary: "One event",
      scope: "events:read",
      words: { id: "Id of the event." },
      answers: { 200: { words: "The event.", schema: event } },
      problems: [404],
    },
    {
      method: "get",
      path: "/api/v1/events/{id}/raw",
      group,
      summary: "The body of an event as it was received",
      details: "Byte for byte, secrets and all, as an attachment of the media type that it was sent with.",
      scope: "events:raw",
      words: { id: "Id of the event." },
      answers: { 200: { words: "The bytes.", mediaType: "*/*" } },
      problems: [404],
    },
  ]
}

function history(path: string, summary: string): RouteDescription {
  return {
    method: "get",
    path,
    group,
    summary,
    details:
      "The newest first, or, with `after` or `order=oldest`, the oldest first. With `after` every event is handed out once, in the order of the log: `position` in the answer is what to ask for next time.",
    scope: "events:read",
    query,
    words: {
      offset: "Passes over so many; not with `after`.",
      order: "`newest` first, which is usual, or `oldest`.",
      after: "Position after which to begin, `earliest` or `latest`.",
    },
    answers: {
      200: {
        words: "A page of events.",
        schema: pageOf("events", event).extend({
          position: count.exactOptional().describe("With `after`: up to where the log was read."),
        }),
      },
    },
    problems: [410],
  }
}
