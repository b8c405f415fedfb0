import { SignalboxError } from "../core/errors.ts"

/** What there is to say where no subscription of the tenant bears this id or name. */
export function noSuchSubscription(idOrName: string): SignalboxError {
  return new SignalboxError("not_found", `there is no webhook subscription ${JSON.stringify(idOrName)}`)
}
