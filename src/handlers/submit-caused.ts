import { createHash } from "node:crypto"
import type { LoggedEvent } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import { causationDepth } from "../store/causation.ts"
import type { Db } from "../store/database.ts"
import type { HandlerContext, SubmittedEvent } from "./handler.ts"

/** Takes in a custom event of a tenant; the same key gives the same event. */
export type SubmitEvent = (
  event: object,
  options: { tenant: string; idempotencyKey: string },
) => Promise<{ eventId: string; duplicate: boolean }>

/** Events may lead to each other so often and no more. */
const maxDepth = 16

/**
 * Makes the `submit` of a run. Its idempotency key is made of the handler, the event and what is
 * submitted, so that a run that is repeated submits nothing twice.
 */
export function createSubmit(
  db: Db,
  submit: SubmitEvent,
  handler: string,
  cause: LoggedEvent,
): HandlerContext["submit"] {
  return async (event: SubmittedEvent) => {
    if (cause.causationId !== null) {
      const depth = await causationDepth(db, cause.tenant, cause.causationId, maxDepth)
      if (depth >= maxDepth) {
        throw new SignalboxError(
          "conflict",
          `event ${cause.id} is the last of ${maxDepth} that led to each other: handler "${handler}" seems to be in a loop`,
        )
      }
    }
    const caused = { correlationId: cause.correlationId, ...event, causationId: cause.id }
    const digest = createHash("sha256").update(JSON.stringify(caused)).digest("hex").slice(0, 32)
    const { tenant } = cause
    return submit(caused, { tenant, idempotencyKey: `${cause.id}/${handler.slice(0, 200)}/${digest}` })
  }
}
