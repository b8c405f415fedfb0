import { bodyKey, deliveryKey } from "../../core/delivery-key.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { refusal } from "../../core/submission.ts"
import { sentSchema } from "./schema.ts"

/**
 * Keyed by `webhook-id`, which a signed webhook always has and a retry repeats, else by the
 * `idempotency-key` header, which the API keeps for its callers, else by the body: sent twice without a
 * key, the same event is one. The signature covers `webhook-id` alone: whoever repeats a captured request
 * may add any other header. Throws 400 naming each field at fault.
 */
export function identify({ headers, payload }: Message, body: Buffer): Identity {
  const parsed = sentSchema.safeParse(payload)
  if (!parsed.success) throw refusal("not a custom event", parsed.error)
  const { type, priority } = parsed.data
  const key = ["webhook-id", "idempotency-key"]
    .map((name) => headers[name]?.trim() ?? "")
    .find((one) => one !== "")
  return {
    key: key === undefined ? bodyKey(body) : deliveryKey(key),
    name: type,
    type,
    priority: priority ?? "normal",
  }
}
