/** What the package `signalbox` exports. */
export {
  createHub,
  type Hub,
  type HubOptions,
  type StreamOptions,
  type SubmitOptions,
  type Submitted,
} from "./hub.ts"
export {
  custom,
  deployment,
  github,
  linear,
  on,
  slack,
  type DeploymentEvent,
  type GithubEvent,
  type LinearEvent,
  type SlackEvent,
} from "./event-maps.ts"
export type { Handler, HandlerContext, HandlerEvent, HandlerOptions } from "./handlers/handler.ts"
export type { Gap } from "./consumers/definition.ts"
export type { Registration } from "./handlers/enrolment.ts"
export type { SubscribeOptions, Subscription } from "./handlers/subscribe.ts"
export { createLog, type Log } from "./core/log.ts"
export { SignalboxError, type ErrorCode } from "./core/errors.ts"
export type { LoggedEvent, Link, Reference, StoredEvent } from "./core/envelope.ts"
export type { StreamedEvent } from "./streaming/streamed-event.ts"
export type { ProposedLink, RuleDefinition, RuleEvent } from "./correlation/rule.ts"
