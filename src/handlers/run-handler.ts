import type { ConsumerDefinition } from "../consumers/definition.ts"
import { copyEvent } from "../core/copy-event.ts"
import { parsePayload } from "../core/payload.ts"
import type { HandlerServices } from "./enrolment.ts"
import type { AnyHandler, HandlerOptions } from "./handler.ts"
import { createSubmit } from "./submit-caused.ts"

/**
 * Makes the `run` of a consumer out of a handler. Each run parses the body anew, and copies the rest: what a
 * handler does to its event is nobody else's business. A handler is the operator's own code and is given the payload
 * whole, since it answers through what others must not see (Slack's `response_url`); a callback on a
 * stream is given what streams give, by `maskedPayload`.
 */
export function runHandler(
  name: string,
  handler: AnyHandler,
  { db, submit }: HandlerServices,
  payloadOf: (body: Buffer, contentType: string) => unknown = parsePayload,
): ConsumerDefinition["run"] {
  return (event, { attempt, replayId, signal, log }) => {
    const payload = payloadOf(event.raw, event.contentType)
    const replay = { replay: replayId !== null, replayId }
    const context = { handler: name, attempt, ...replay, signal, log }
    return handler(
      { ...copyEvent(event), payload },
      { ...context, submit: createSubmit(db, submit, name, event) },
    )
  }
}

/** The options of a handler that its consumer takes as they are. */
export function consumerOptions(options: HandlerOptions): Partial<ConsumerDefinition> {
  const { name: _, tenant: __, ...rest } = options
  return rest
}
