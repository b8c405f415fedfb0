import type { EventName, PayloadOf } from "./event-names.ts"
import type { AnyHandler, HandlerContext, HandlerEvent, HandlerOptions } from "./handler.ts"

/** Puts a method down as a handler; a standard decorator, for whose use as `@…` a compiler is needed. */
export type HandlerDecorator<Payload> = <This extends object>(
  method: (this: This, event: HandlerEvent<Payload>, context: HandlerContext) => unknown,
  context: ClassMethodDecoratorContext<
    This,
    (this: This, event: HandlerEvent<Payload>, context: HandlerContext) => unknown
  >,
) => void

/** What a decorated method is to be registered for. */
export interface Decorated {
  /** A platform, or null where `pattern` is one of types. */
  platform: string | null
  pattern: string
  options: HandlerOptions
  /** The class and the method: `Reviewer.greet`. */
  label: string
  handler: AnyHandler
}

/** The decorators of one platform. */
export interface PlatformDecorators<Map> {
  /** `@github.event("pull_request:opened")` */
  event<const Name extends EventName<Map>>(
    name: Name,
    options?: HandlerOptions,
  ): HandlerDecorator<PayloadOf<Map, Name>>
}

/** The decorators of every platform in a map of their events, and `on` for type patterns. */
export type Decorators<Maps> = { [Platform in keyof Maps]: PlatformDecorators<Maps[Platform]> } & {
  on(pattern: string, options?: HandlerOptions): HandlerDecorator<unknown>
}

const decorated = new WeakMap<object, Decorated[]>()

/** The decorated methods of an instance, or the static ones of a class; empty where there are none. */
export function decoratedMethods(owner: object): readonly Decorated[] {
  return decorated.get(owner) ?? []
}

/**
 * Makes a decorator. It notes the method at the instance, for `hub.register(instance)` to find; the
 * method itself is looked up when it runs, so that other decorators and subclasses may replace it.
 */
export function handlerDecorator<Payload>(
  platform: string | null,
  pattern: string,
  options: HandlerOptions = {},
): HandlerDecorator<Payload> {
  return (_, { name, access, addInitializer }) => {
    addInitializer(function () {
      const methods = decorated.get(this) ?? []
      const label = `${classOf(this)}.${String(name)}`
      const handler = (event: HandlerEvent<Payload>, context: HandlerContext) =>
        access.get(this).call(this, event, context)
      decorated.set(this, [...methods, { platform, pattern, options, label, handler }])
    })
  }
}

/** Makes the decorators of these platforms. */
export function createDecorators<Maps extends object>(
  platforms: readonly (keyof Maps & string)[],
): Decorators<Maps>
export function createDecorators(platforms: readonly string[]): object {
  const named = platforms.map((platform) => [
    platform,
    { event: (name: string, options?: HandlerOptions) => handlerDecorator(platform, name, options) },
  ])
  return {
    ...Object.fromEntries(named),
    on: (pattern: string, options?: HandlerOptions) => handlerDecorator(null, pattern, options),
  }
}

function classOf(owner: object): string {
  return typeof owner === "function" ? owner.name : owner.constructor.name
}
