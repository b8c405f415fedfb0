import { emitterEventNames } from "@octokit/webhooks"
import { createDecorators } from "./handlers/decorators.ts"
import type { EventName, PayloadOf } from "./handlers/event-names.ts"
import type { HandlerEvent } from "./handlers/handler.ts"
import type { KnownNames } from "./handlers/known-names.ts"
import type { CustomPayload } from "./platforms/custom/schema.ts"
import type { DeploymentEvents } from "./platforms/deployment/events.ts"
import type { GithubEvents } from "./platforms/github/events.ts"
import type { LinearEvents } from "./platforms/linear/events.ts"
import type { SlackEvents } from "./platforms/slack/events.ts"

/** By platform the payloads of its events by name; what handlers are typed by. */
export interface EventMaps {
  github: GithubEvents
  linear: LinearEvents
  slack: SlackEvents
  deployment: DeploymentEvents
  /** By the types that their senders made up. */
  custom: Record<string, CustomPayload>
}

/** The platforms that handlers know by name. */
export const handledPlatforms = ["github", "linear", "slack", "deployment", "custom"] as const

/** The names that a platform sends, where they can be told; octokit writes a dot before the action. */
export const knownNames: KnownNames = {
  github: emitterEventNames.map((name) => name.replace(".", ":")),
}

/** An event of GitHub as its handler gets it: `GithubEvent<"pull_request:opened">`. */
export type GithubEvent<Name extends EventName<GithubEvents>> = HandlerEvent<PayloadOf<GithubEvents, Name>>
/** An event of Linear as its handler gets it: `LinearEvent<"Issue:update">`. */
export type LinearEvent<Name extends EventName<LinearEvents>> = HandlerEvent<PayloadOf<LinearEvents, Name>>
/** An event of Slack as its handler gets it: `SlackEvent<"app_mention">`. */
export type SlackEvent<Name extends EventName<SlackEvents>> = HandlerEvent<PayloadOf<SlackEvents, Name>>
/** A deployment as its handler gets it: `DeploymentEvent<"production:success">`. */
export type DeploymentEvent<Name extends EventName<DeploymentEvents>> = HandlerEvent<
  PayloadOf<DeploymentEvents, Name>
>

/** Decorators for methods of a class whose instances are given to `hub.register`. */
export const { github, linear, slack, deployment, custom, on } = createDecorators<EventMaps>(handledPlatforms)
