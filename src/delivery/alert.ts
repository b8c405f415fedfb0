import type { Gap } from "../consumers/definition.ts"
import type { Db } from "../store/database.ts"

/** Publishes an event of a tenant within a transaction. */
export type PublishAlert = (tx: Db, event: Alert, options: { tenant: string }) => Promise<unknown>

/** What an event says of a subscription to its tenant. */
export type Alert = DisabledAlert | GapAlert

interface OfSubscription {
  title: string
  priority: "high"
  payload: { subscription: { id: string; name: string; stream: string } }
}

/** A subscription was disabled. */
export interface DisabledAlert extends OfSubscription {
  type: "signalbox.subscription.disabled"
  payload: OfSubscription["payload"] & { reason: string }
}

/** Retention has dropped positions before a subscription came to them. */
export interface GapAlert extends OfSubscription {
  type: "signalbox.subscription.gap"
  payload: OfSubscription["payload"] & { gap: Gap }
}
