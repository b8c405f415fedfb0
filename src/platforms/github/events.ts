import type { EmitterWebhookEvent, EmitterWebhookEventName } from "@octokit/webhooks"

/** Octokit writes `pull_request.opened`; our names have a colon before the action, as an action may hold dots. */
type OurName<Name extends string> = Name extends `${infer Event}.${infer Action}`
  ? `${Event}:${Action}`
  : Name

/**
 * Payloads by event name: `pull_request:opened` has the payload of that action alone, `pull_request`
 * that of every action.
 */
export type GithubEvents = {
  [Name in EmitterWebhookEventName as OurName<Name>]: EmitterWebhookEvent<Name>["payload"]
}

/** `pull_request`, `pull_request:opened`, `push`, … */
export type GithubEventName = keyof GithubEvents
