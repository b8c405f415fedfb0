import type { Pool } from "pg"
import type { Log } from "../core/log.ts"
import type { WebhookRow } from "../core/subscription.ts"
import { transaction } from "../store/database.ts"
import { disableWebhook, webhookById } from "../store/webhook-subscriptions.ts"
import type { DisabledAlert, PublishAlert } from "./alert.ts"

/**
 * Disables a subscription that is at work at that address, and tells so by an event and a line in the log;
 * once, whoever else finds the same.
 */
export async function disable(
  { pool, publish, log }: { pool: Pool; publish: PublishAlert; log: Log },
  { id, url }: Pick<WebhookRow, "id" | "url">,
  reason: string,
): Promise<void> {
  const told = await transaction(pool, async (db) => {
    if (!(await disableWebhook(db, { id, url }, reason))) return undefined
    const row = await webhookById(db, id)
    if (row === undefined) return undefined
    const { name, stream, tenant } = row
    const alert: DisabledAlert = {
      type: "signalbox.subscription.disabled",
      title: `The webhook subscription ${name} was disabled`,
      priority: "high",
      payload: { subscription: { id, name, stream }, reason },
    }
    await publish(db, alert, { tenant })
    return { name, tenant }
  })
  if (told === undefined) return
  log.error(
    { subscription: id, ...told, reason },
    "a webhook subscription was disabled: resume it once its receiver answers",
  )
}
