import type { Gap } from "../consumers/definition.ts"
import type { WebhookRow } from "../core/subscription.ts"
import type { Db } from "../store/database.ts"
import type { GapAlert, PublishAlert } from "./alert.ts"

/** Publishes the event that tells of a gap, within the transaction that moves the cursor behind it. */
export async function tellGap(
  publish: PublishAlert,
  db: Db,
  { id, name, stream, tenant }: WebhookRow,
  { from, to, partition }: Gap,
): Promise<void> {
  const alert: GapAlert = {
    type: "signalbox.subscription.gap",
    title: `Retention has passed the webhook subscription ${name}: positions ${from} to ${to} are gone`,
    priority: "high",
    payload: { subscription: { id, name, stream }, gap: { from, to, partition } },
  }
  await publish(db, alert, { tenant })
}
