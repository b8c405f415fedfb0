import type { Reply } from "../core/platform.ts"
import type { NewEvent } from "../store/events.ts"
import { eventOf, messageOf, type Delivery } from "./delivery.ts"

/** What a believed delivery is: a question to us, or events to be stored. */
export type ReadDelivery =
  | { question: Reply }
  | {
      question: null
      events: readonly NewEvent[]
      /** Whether it came as a batch, of whatever number: its sender is told of each event. */
      batch: boolean
      /** What its sender reads instead of the usual acknowledgement. */
      reply: Reply | null
    }

/**
 * Reads a delivery. What was parsed is let go here: it takes several times the room of the body, which
 * waits for its commit. Throws 400 where it, or any event of a batch, cannot be told apart: nothing of it
 * is stored then.
 */
export function readDelivery(delivery: Delivery): ReadDelivery {
  const { platform, body } = delivery
  const message = messageOf(delivery)
  const question = platform.handshake?.(message, true)
  if (question) return { question }
  const parts = platform.split?.(message, body) ?? null
  if (parts === null) {
    const reply = platform.acknowledge?.(message) ?? null
    return { question: null, events: [eventOf(delivery, message)], batch: false, reply }
  }
  const events = parts.map((part) => {
    const one = { ...delivery, ...part }
    return eventOf(one, messageOf(one))
  })
  return { question: null, events, batch: true, reply: null }
}
