import { SignalboxError } from "../core/errors.ts"
import { createConsumerNames } from "./consumer-names.ts"
import { decoratedMethods, handlerDecorator, type HandlerDecorator } from "./decorators.ts"
import { createEnrolment, type HandlerServices, type Registration } from "./enrolment.ts"
import type { EventName, PayloadOf } from "./event-names.ts"
import type { AnyHandler, Handler, HandlerOptions } from "./handler.ts"
import type { KnownNames } from "./known-names.ts"
import { consumerOptions, runHandler } from "./run-handler.ts"
import { ofName, ofType } from "./selection.ts"
import { createSubscribe, type Subscribe } from "./subscribe.ts"

/** Handlers of one platform's events, by the sender's own names. */
export interface PlatformHandlers<Map> {
  /** Runs a handler for each event of this name: `hub.github.event("pull_request:opened", handler)`. */
  event<const Name extends EventName<Map>>(
    name: Name,
    handler: Handler<PayloadOf<Map, Name>>,
    options?: HandlerOptions,
  ): Registration
  /** Without a handler, a decorator for a method of a class that is given to `register`. */
  event<const Name extends EventName<Map>>(
    name: Name,
    options?: HandlerOptions,
  ): HandlerDecorator<PayloadOf<Map, Name>>
}

/** Handlers by type pattern. */
export interface OnType {
  /** Runs a handler for each event whose type fits: `hub.on("deployment.*", handler)`. */
  (pattern: string, handler: Handler, options?: HandlerOptions): Registration
  /** Without a handler, a decorator. */
  (pattern: string, options?: HandlerOptions): HandlerDecorator<unknown>
}

/** What a hub offers for reacting to events; `Maps` holds by platform the payloads by event name. */
export interface Handlers<Maps> {
  platforms: { [Platform in keyof Maps]: PlatformHandlers<Maps[Platform]> }
  on: OnType
  /** Registers the decorated methods of an instance (or the static ones of a class). */
  register(instance: object): Registration[]
  subscribe: Subscribe
  /** Puts to work what is registered so far, and from then on what is added at once. */
  attach(services: HandlerServices): Promise<void>
}

export interface HandlersOptions<Maps> {
  platforms: readonly (keyof Maps & string)[]
  /** Names to hold registrations to; a platform that is left out takes any. */
  known?: KnownNames
}

const defaultPartitions = 4

type AnyMaps = Record<string, Record<string, unknown>>

/** Makes the handlers of a hub. Wrong names, patterns and options are refused where they are written. */
export function createHandlers<Maps extends object>(options: HandlersOptions<Maps>): Handlers<Maps>
export function createHandlers({ platforms, known = {} }: HandlersOptions<AnyMaps>): Handlers<AnyMaps> {
  const names = createConsumerNames()
  const enrolment = createEnrolment()
  const registered = new WeakSet<object>()

  /** Registers for names of a platform's events, or, where that is null, for types. */
  function add(
    platform: string | null,
    pattern: string,
    handler: AnyHandler,
    label: string,
    options: HandlerOptions,
  ): Registration {
    const selection = platform === null ? ofType(pattern) : ofName(platform, pattern, known)
    const name = names.claim(options.name, [platform ?? "on", pattern, label])
    const definition = {
      partitions: defaultPartitions,
      ...consumerOptions(options),
      ...selection,
      name,
      kind: "handler" as const,
      tenant: options.tenant ?? "default",
      stream: "all_events",
    }
    return enrolment.add(
      name,
      (services) => services.consumers.add({ ...definition, run: runHandler(name, handler, services) }),
      () => names.release(name),
    )
  }

  function registrar(platform: string | null): OnType {
    function register(pattern: string, handler: AnyHandler, options?: HandlerOptions): Registration
    function register(pattern: string, options?: HandlerOptions): HandlerDecorator<unknown>
    function register(
      pattern: string,
      second: AnyHandler | HandlerOptions = {},
      options: HandlerOptions = {},
    ) {
      return typeof second === "function"
        ? add(platform, pattern, second, second.name, options)
        : handlerDecorator(platform, pattern, second)
    }
    return register
  }

  return {
    platforms: Object.fromEntries(platforms.map((platform) => [platform, { event: registrar(platform) }])),
    on: registrar(null),
    register(instance) {
      const methods = decoratedMethods(instance)
      if (methods.length === 0) {
        throw new SignalboxError("configuration", "register: the instance has no decorated methods")
      }
      if (registered.has(instance)) {
        throw new SignalboxError("configuration", "register: the instance is registered already")
      }
      registered.add(instance)
      return methods.map(({ platform, pattern, handler, label, options }) =>
        add(platform, pattern, handler, label, options),
      )
    },
    subscribe: createSubscribe(enrolment, names),
    attach: (services) => enrolment.attach(services),
  }
}
