/** What of an event is sent: all of its public JSON, all but the payload, or these members. */
export type PayloadShape = "all" | "head" | { pick: string[] }

/** How a body is written. */
export type WebhookFormat = "standard" | "cloudevents"

/** `skipping` is paused with its events recorded as skipped; `disabled` is the hub's own doing. */
export type WebhookStatus = "active" | "paused" | "skipping" | "disabled"

/** What its owner says of a webhook subscription. */
export interface WebhookSettings {
  url: string
  stream: string
  filter: Readonly<Record<string, unknown>>
  format: WebhookFormat
  payload: PayloadShape
  /** Whether an event that fails holds up the later ones of its entity. */
  ordered: boolean
  concurrency: number
  ratePerSecond: number | null
  timeoutMs: number
  /** Seconds before the second attempt, the third, and so on. */
  retrySchedule: number[]
  partitions: number
}

/** What a subscription may be made of, or changed to; what is left out has its default, or stays. */
export type WebhookRequest = {
  [Setting in keyof Omit<WebhookSettings, "filter">]?: WebhookSettings[Setting] | undefined
} & { filter?: unknown }

/** A webhook subscription as stored. */
export interface WebhookRow extends WebhookSettings {
  id: string
  tenant: string
  name: string
  status: WebhookStatus
  disabledReason: string | null
  disabledAt: Date | null
  createdAt: Date
  updatedAt: Date
}

/** What became of a test event. */
export interface TestResult {
  delivered: boolean
  eventId: string
  statusCode: number | null
  durationMs: number
  response: string | null
  error: string | null
}

/** Makes and changes webhook subscriptions; processes that send hear of every change. */
export interface SubscriptionAdmin {
  /** Answers the secret, which is seen this once. Throws `conflict` where the tenant has a consumer of that name. */
  create(
    tenant: string,
    request: WebhookRequest & { name: string; url: string; from?: "head" | "earliest" | number | undefined },
  ): Promise<{ row: WebhookRow; secret: string }>
  edit(tenant: string, idOrName: string, request: WebhookRequest): Promise<WebhookRow>
  /** Gives it another secret; those before it sign too for `overlapSeconds`. */
  rotate(
    tenant: string,
    idOrName: string,
    overlapSeconds: number,
  ): Promise<{ row: WebhookRow; secret: string }>
  /** Sends a made-up event at once, whether the subscription runs or not. */
  test(tenant: string, idOrName: string): Promise<TestResult>
}
