import type { IncomingMessage } from "node:http"
import { inflate } from "./inflate.ts"
import { codingOf } from "./media.ts"
import { readBody, type BodyLimits } from "./read-body.ts"

/** A body in memory, counted by the budget until it is released. */
export interface ReceivedBody {
  /**
   * The body with its content coding undone. This is what is read and stored: a coding belongs to the
   * way a message travels (RFC 9110, section 8.4), and whoever reads the stored bytes later, SQL
   * included, has no header that tells of it.
   */
  body: Buffer
  /** The bytes as they travelled, where they were coded: some senders sign those. */
  coded: Buffer | null
  /** Gives the bytes back to the budget; once. */
  release(): void
}

/** Reads a request's body and undoes its content coding. Throws as `readBody`, `codingOf` and `inflate` do. */
export async function receiveBody(incoming: IncomingMessage, limits: BodyLimits): Promise<ReceivedBody> {
  const { budget } = limits
  const coding = codingOf(incoming.headers["content-encoding"])
  const sent = await readBody(incoming, limits)
  if (coding === null) return { body: sent, coded: null, release: () => budget.give(sent.length) }
  try {
    const body = await inflate(sent, coding, limits)
    return { body, coded: sent, release: () => budget.give(sent.length + body.length) }
  } catch (error) {
    budget.give(sent.length)
    throw error
  }
}
