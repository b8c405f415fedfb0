import { SignalboxError } from "../core/errors.ts"
import { parseFilter, type Filter } from "../core/filter.ts"
import { maskedPayload } from "../core/mask.ts"
import { compileHeadSelection, compileSelection, type Selection } from "../core/selection.ts"
import { streamSelection } from "../core/stream-definition.ts"
import type { Db } from "../store/database.ts"
import { findStream } from "../store/streams.ts"
import type { ConsumerNames } from "./consumer-names.ts"
import type { Enrol, Enrolment } from "./enrolment.ts"
import type { AnyHandler, Handler, HandlerOptions } from "./handler.ts"
import { consumerOptions, runHandler } from "./run-handler.ts"

export interface SubscribeOptions extends HandlerOptions {
  /** Takes of the stream only what passes it; see README, filters. */
  filter?: unknown
  /**
   * With a name the subscription is durable: its place is kept, what fails is tried again. Without one
   * it begins anew with each start, and an event at which the callback fails is logged and left.
   */
  name?: string
  /** As with handlers, but 1 where absent: a callback gets its stream in order. */
  partitions?: number
}

/** A callback on a stream. */
export interface Subscription {
  /** Resolves once every later event is its; rejects where the stream or the name does not allow it. */
  ready: Promise<void>
  /** Ends it in this process; a durable one goes on where it was when it is subscribed again. Idempotent. */
  unsubscribe(): Promise<void>
}

/** Calls back for each event of a stream, as it was defined at the start. */
export type Subscribe = (stream: string, callback: Handler, options?: SubscribeOptions) => Subscription

/** Makes `subscribe`. */
export function createSubscribe(enrolment: Enrolment, names: ConsumerNames): Subscribe {
  return (stream, callback, { filter = {}, ...options } = {}) => {
    const parsed = parseFilter(filter)
    const name = names.claim(options.name, ["subscription", stream, callback.name])
    const enrol =
      options.name === undefined
        ? follow(name, stream, parsed, callback, options)
        : consume(name, stream, parsed, callback, options)
    const { ready, remove } = enrolment.add(name, enrol, () => names.release(name))
    return { ready, unsubscribe: remove }
  }
}

function consume(
  name: string,
  stream: string,
  filter: Filter,
  callback: AnyHandler,
  options: HandlerOptions,
): Enrol {
  return async (services) => {
    const tenant = options.tenant ?? "default"
    const selection = await selectionOf(services.db, tenant, stream, filter)
    const run = runHandler(name, callback, services, maskedPayload)
    const kind = "callback"
    return services.consumers.add({
      name,
      kind,
      tenant,
      stream,
      filter: { ...filter },
      matches: compileSelection(selection),
      mayWant: compileHeadSelection(selection),
      run,
      ...consumerOptions(options),
    })
  }
}

function follow(
  name: string,
  stream: string,
  filter: Filter,
  callback: AnyHandler,
  options: HandlerOptions,
): Enrol {
  return async (services) => {
    const { tenant = "default", from, timeoutMs, onGap } = options
    const selection = await selectionOf(services.db, tenant, stream, filter)
    const run = runHandler(name, callback, services, maskedPayload)
    const follower = services.consumers.follow({
      name,
      tenant,
      matches: compileSelection(selection),
      run,
      onGap,
      ...(from === undefined ? {} : { from }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
    return { ready: follower.ready, remove: () => follower.stop() }
  }
}

async function selectionOf(db: Db, tenant: string, name: string, filter: Filter): Promise<Selection> {
  const stream = await findStream(db, tenant, name)
  if (stream === undefined) {
    throw new SignalboxError("not_found", `there is no stream ${JSON.stringify(name)}`)
  }
  return { all: [streamSelection(stream), filter] }
}
