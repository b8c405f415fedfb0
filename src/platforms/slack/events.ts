import type {
  BlockAction,
  DialogSubmitAction,
  EnvelopedEvent,
  GlobalShortcut,
  InteractiveMessage,
  MessageShortcut,
  SlashCommand,
  types,
  ViewClosedAction,
  ViewSubmitAction,
} from "@slack/bolt"

type EventOf<Type> = Extract<types.SlackEvent, { type: Type }>

/** Events that come within an envelope; the one that does not is below. */
type Enveloped = Exclude<types.SlackEvent["type"], "app_rate_limited">

/**
 * Payloads by the name a handler is registered under: an event's type (`app_mention`, `message`), a slash
 * command (`/deploy`), or the type of an interaction (`block_actions`).
 */
export type SlackEvents = {
  [Type in Enveloped]: EnvelopedEvent<EventOf<Type>>
} & {
  [Command in `/${string}`]: SlashCommand
} & {
  app_rate_limited: types.AppRateLimitedEvent
  block_actions: BlockAction
  interactive_message: InteractiveMessage
  dialog_submission: DialogSubmitAction
  view_submission: ViewSubmitAction
  view_closed: ViewClosedAction
  shortcut: GlobalShortcut
  message_action: MessageShortcut
}
