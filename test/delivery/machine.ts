import { onTestFinished } from "vitest"
import { createConsumers } from "../../src/consumers/create-consumers.ts"
import { silentLog } from "../../src/core/log.ts"
import { createDeliveries, type DeliveriesOptions } from "../../src/delivery/create-deliveries.ts"
import { createGuard } from "../../src/delivery/guard.ts"
import { createSubscriptionAdmin } from "../../src/delivery/subscription-admin.ts"
import { createSealing } from "../../src/sources/sealing.ts"
import type { Database } from "../../src/store/database.ts"
import type { SubscriptionAdmin, WebhookRequest, WebhookRow } from "../../src/core/subscription.ts"
import { readerOf } from "../consumers/log.ts"
import { testKeyring } from "../support/sources.ts"

const sealing = createSealing(testKeyring(1), "webhook")
const guard = createGuard({ allowNetworks: ["127.0.0.0/8", "::1/128"] })
const clock = () => new Date()

/** A process that sends webhooks, and an end to it. */
export interface SendingProcess {
  wake(): void
  stop(): Promise<void>
}

/** Starts what sends webhooks in a process, stopped when the test ends. */
export async function startSending(
  database: Database,
  options: Partial<DeliveriesOptions> = {},
): Promise<SendingProcess> {
  const consumers = createConsumers({
    database,
    read: readerOf(database),
    log: silentLog,
    beatMs: 50,
    drainMs: 500,
  })
  const deliveries = createDeliveries({
    pool: database.work,
    databaseUrl: database.url,
    consumers,
    sealing,
    guard,
    publish: async () => {},
    clock,
    log: silentLog,
    pollMs: 100,
    ...options,
  })
  const stop = async () => {
    await deliveries.stop()
    await consumers.stop()
  }
  onTestFinished(stop)
  await consumers.start()
  await deliveries.start()
  return { wake: consumers.wake, stop }
}

/** What makes and changes subscriptions. */
export function administer(database: Database): SubscriptionAdmin {
  return createSubscriptionAdmin({ pool: database.work, sealing, guard, clock })
}

/** Makes a subscription. */
export async function subscribe(
  database: Database,
  name: string,
  url: string,
  request: WebhookRequest = {},
): Promise<WebhookRow> {
  const filter = { types: [`${name}.*`] }
  const { row } = await administer(database).create("default", { filter, ...request, name, url })
  return row
}
