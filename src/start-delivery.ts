import type { Config } from "./config.ts"
import type { Consumers } from "./consumers/create-consumers.ts"
import type { Clock } from "./core/clock.ts"
import type { ComponentState } from "./core/component.ts"
import type { Log } from "./core/log.ts"
import type { SubscriptionAdmin } from "./core/subscription.ts"
import { createDeliveries } from "./delivery/create-deliveries.ts"
import { createGuard } from "./delivery/guard.ts"
import { createSubscriptionAdmin } from "./delivery/subscription-admin.ts"
import { publish } from "./outbox/publish.ts"
import { createKeyring } from "./sources/keyring.ts"
import { createSealing, webhookPurpose } from "./sources/sealing.ts"
import type { Database } from "./store/database.ts"

export interface DeliveryParts {
  database: Database
  config: Config
  clock: Clock
}

function means({ config }: DeliveryParts) {
  const keyring = createKeyring({
    configured: config.encryptionKeys,
    dataDir: config.databaseUrl === undefined ? config.dataDir : null,
  })
  return {
    sealing: createSealing(keyring, webhookPurpose),
    guard: createGuard({ allowNetworks: config.allowNetworks }),
  }
}

/** Sends webhooks, until `stack` is disposed; answers what tells how that goes. */
export async function startDeliveries(
  stack: AsyncDisposableStack,
  { consumers, log, ...parts }: DeliveryParts & { consumers: Consumers; log: Log },
): Promise<() => ComponentState> {
  const { database, clock } = parts
  const deliveries = createDeliveries({
    ...means(parts),
    pool: database.work,
    databaseUrl: database.url,
    consumers,
    publish,
    clock,
    log,
  })
  stack.defer(() => deliveries.stop())
  await deliveries.start()
  return deliveries.state
}

/** What the API needs to make and change subscriptions, in whatever process it runs. */
export function subscriptionAdmin(parts: DeliveryParts): SubscriptionAdmin {
  return createSubscriptionAdmin({ ...means(parts), pool: parts.database.work, clock: parts.clock })
}
