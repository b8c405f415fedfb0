import type { Message, Reply } from "../../core/platform.ts"
import { deliveryOf } from "./delivery.ts"

/**
 * A command or an interaction is answered at once with an empty 200: a body would be shown to the user,
 * or, of a view, replace it. What there is to say goes to the `response_url` later.
 */
export function acknowledge(message: Message): Reply | null {
  return deliveryOf(message).kind === "event" ? null : { status: 200, body: null }
}
