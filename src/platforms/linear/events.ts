import type { LinearWebhookEventTypeMap } from "@linear/sdk/webhooks"

/** What Linear does to a thing it sends webhooks of. */
type Change = "create" | "update" | "remove"

interface Actions {
  IssueSLA: "set" | "highRisk" | "breached"
  OAuthApp: "revoked"
  AgentSessionEvent: "created" | "prompted"
  PermissionChange: "teamAccessChanged"
  AppUserNotification: string
}

type ActionOf<Model> = Model extends keyof Actions ? Actions[Model] : Change

/** Payloads by the name a handler is registered under: `Issue` for every action, or `Issue:update`. */
export type LinearEvents = {
  [Model in keyof LinearWebhookEventTypeMap]: LinearWebhookEventTypeMap[Model]
} & {
  [
    Model in keyof LinearWebhookEventTypeMap as `${Model}:${ActionOf<Model>}`
  ]: LinearWebhookEventTypeMap[Model]
}
