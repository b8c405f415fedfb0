import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import { parseFilter } from "../core/filter.ts"
import type { Sealing } from "../core/sealing.ts"
import { generateWebhookSecret } from "../core/standard-webhooks.ts"
import type { SubscriptionAdmin, WebhookRequest, WebhookRow, WebhookSettings } from "../core/subscription.ts"
import { uuidv7 } from "../core/uuid.ts"
import { transaction, type Db } from "../store/database.ts"
import { mustBeReached } from "../store/log-pages.ts"
import { dealingTransaction } from "../store/repartition.ts"
import { findStream } from "../store/streams.ts"
import { forgiveWebhook } from "../store/webhook-health.ts"
import { expireWebhookSecrets, insertWebhookSecret, webhookSecrets } from "../store/webhook-secrets.ts"
import { findWebhook, insertWebhook, lockWebhook, updateWebhook } from "../store/webhook-subscriptions.ts"
import { addressOf, failureOf, shown, signedHeaders } from "./endpoint.ts"
import type { Guard } from "./guard.ts"
import { eventFields, renderBody } from "./render-body.ts"
import { standardSchedule } from "./retry.ts"
import { createSender } from "./send.ts"
import { signingKey, type SigningKey } from "./sign.ts"
import { testEvent } from "./test-event.ts"

export interface SubscriptionAdminOptions {
  pool: Pool
  sealing: Sealing
  guard: Guard
  clock: Clock
}

const maxSecrets = 5 // each is a signature in every header

const defaults: Omit<WebhookSettings, "url"> = {
  stream: "all_events",
  filter: {},
  format: "standard",
  payload: "all",
  ordered: false,
  concurrency: 16,
  ratePerSecond: null,
  timeoutMs: 15_000,
  retrySchedule: [...standardSchedule],
  partitions: 1,
}

/** Makes the administration of webhook subscriptions. */
export function createSubscriptionAdmin(options: SubscriptionAdminOptions): SubscriptionAdmin {
  const { pool, sealing, guard, clock } = options

  async function checked(db: Db, tenant: string, settings: WebhookSettings): Promise<WebhookSettings> {
    const { payload, stream } = settings
    if ((await findStream(db, tenant, stream)) === undefined) {
      throw new SignalboxError("bad_request", `stream: there is no stream ${JSON.stringify(stream)}`)
    }
    const unknown =
      typeof payload === "object" ? payload.pick.find((name) => !eventFields.includes(name)) : undefined
    if (unknown !== undefined) {
      throw new SignalboxError(
        "bad_request",
        `payload: pick knows no ${JSON.stringify(unknown)}, but ${eventFields.join(", ")}`,
      )
    }
    return { ...settings, url: guard.checkUrl(settings.url).href }
  }

  async function store(db: Db, row: WebhookRow): Promise<{ id: string; secret: string }> {
    const id = uuidv7()
    const secret = generateWebhookSecret()
    const sealed = await sealing.seal(secret, { id, ownerId: row.id })
    await insertWebhookSecret(db, { id, subscriptionId: row.id, ...sealed })
    return { id, secret }
  }

  async function keysOf(row: WebhookRow): Promise<SigningKey[]> {
    const keys: SigningKey[] = []
    for (const secret of await webhookSecrets(pool, [row.id], clock())) {
      const value = await sealing.open(secret, { id: secret.id, ownerId: row.id })
      if (value !== undefined) keys.push(signingKey(secret.id, value))
    }
    if (keys.length > 0) return keys
    throw new SignalboxError(
      "conflict",
      "none of its secrets opens under SIGNALBOX_ENCRYPTION_KEY: rotate makes one",
    )
  }

  return {
    create: (tenant, { name, from = "head", ...request }) =>
      transaction(pool, async (db) => {
        const settings = await checked(db, tenant, merged({ ...defaults, url: request.url }, request))
        if (typeof from === "number") await mustBeReached(db, "from", from, "begin with earliest or head")
        const row = await insertWebhook(db, { ...settings, tenant, name, from })
        if (row === undefined) {
          throw new SignalboxError(
            "conflict",
            `there is a consumer named ${JSON.stringify(name)}: choose another name`,
          )
        }
        return { row, secret: (await store(db, row)).secret }
      }),

    edit: (tenant, idOrName, request) => {
      const change = async (db: Db, beside: Db): Promise<WebhookRow> => {
        const row = await lockWebhook(db, tenant, idOrName)
        const settings = await checked(db, tenant, merged(row, request))
        await updateWebhook(db, row, settings, beside)
        if (settings.url !== row.url) await forgiveWebhook(db, row.id) // another receiver, which has not failed
        return (await findWebhook(db, tenant, row.id)) ?? row
      }
      return request.partitions === undefined
        ? transaction(pool, (db) => change(db, pool)) // the partitions stay, and so nothing is asked beside it
        : dealingTransaction(pool, change)
    },

    rotate: (tenant, idOrName, overlapSeconds) =>
      transaction(pool, async (db) => {
        const row = await lockWebhook(db, tenant, idOrName)
        const now = clock()
        const inForce = await webhookSecrets(db, [row.id], now)
        if (overlapSeconds > 0 && inForce.length >= maxSecrets) {
          throw new SignalboxError(
            "conflict",
            `${maxSecrets} secrets sign already: let some end, or rotate without an overlap`,
          )
        }
        const { id, secret } = await store(db, row)
        const at = new Date(now.getTime() + overlapSeconds * 1_000)
        await expireWebhookSecrets(db, row.id, { except: id, at })
        return { row, secret }
      }),

    async test(tenant, idOrName) {
      const row = await findWebhook(pool, tenant, idOrName)
      if (row === undefined) {
        throw new SignalboxError("not_found", `there is no webhook subscription ${JSON.stringify(idOrName)}`)
      }
      const keys = await keysOf(row)
      const sentAt = clock()
      const event = testEvent(tenant, row, sentAt)
      const body = renderBody(event, row)
      const headers = signedHeaders(event.id, sentAt, body, row.format, keys)
      const { origin, path } = addressOf(row.url)
      const sender = createSender(origin, guard, 1)
      try {
        const began = performance.now()
        const answer = await sender.send({ path, headers, body, timeoutMs: row.timeoutMs })
        const { statusCode } = answer
        const delivered = statusCode !== null && statusCode >= 200 && statusCode < 300
        return {
          delivered,
          eventId: event.id,
          statusCode,
          durationMs: Math.round(performance.now() - began),
          response: shown(answer.response),
          error: delivered ? null : failureOf(answer).error,
        }
      } finally {
        await sender.close()
      }
    },
  }
}

/** What was asked for over what there is; what was left out stays. */
function merged(settings: WebhookSettings, { filter, ...request }: WebhookRequest): WebhookSettings {
  return {
    url: request.url ?? settings.url,
    stream: request.stream ?? settings.stream,
    filter: filter === undefined ? settings.filter : { ...parseFilter(filter) },
    format: request.format ?? settings.format,
    payload: request.payload ?? settings.payload,
    ordered: request.ordered ?? settings.ordered,
    concurrency: request.concurrency ?? settings.concurrency,
    ratePerSecond: request.ratePerSecond === undefined ? settings.ratePerSecond : request.ratePerSecond,
    timeoutMs: request.timeoutMs ?? settings.timeoutMs,
    retrySchedule: request.retrySchedule ?? settings.retrySchedule,
    partitions: request.partitions ?? settings.partitions,
  }
}
