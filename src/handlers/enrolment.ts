import type { Consumers } from "../consumers/create-consumers.ts"
import type { Log } from "../core/log.ts"
import type { Db } from "../store/database.ts"
import type { SubmitEvent } from "./submit-caused.ts"

/** What handlers need of the hub, which has it once it starts. */
export interface HandlerServices {
  consumers: Consumers
  db: Db
  submit: SubmitEvent
  log: Log
}

/** Something registered, whether the hub runs yet or not. */
export interface Registration {
  /** The identity under which its progress is kept. */
  name: string
  /** Resolves once every later event is its; rejects where it cannot be registered. */
  ready: Promise<void>
  /** Ends it in this process; what it has done stays known. Idempotent. */
  remove(): Promise<void>
}

/** Something at work. */
export interface Enrolled {
  ready: Promise<void>
  remove(): Promise<void>
}

/** Puts to work what was registered: at the start of the hub, or at once where it runs already. */
export type Enrol = (services: HandlerServices) => Enrolled | Promise<Enrolled>

/** Everything registered in a process. */
export interface Enrolment {
  add(name: string, enrol: Enrol, onRemoved: () => void): Registration
  /** Puts to work what is registered so far. Rejects where something of it makes no sense. */
  attach(services: HandlerServices): Promise<void>
}

/** Makes an enrolment. */
export function createEnrolment(): Enrolment {
  const waiting = new Set<() => Promise<void>>()
  let attached: HandlerServices | undefined

  return {
    add(name, enrol, onRemoved) {
      const ready = Promise.withResolvers<void>()
      ready.promise.catch(() => {}) // whoever waits for it is told; the others read the log
      let enrolled: Promise<Enrolled> | undefined
      let removed: Promise<void> | undefined

      async function begin(): Promise<void> {
        if (attached === undefined || removed !== undefined) return
        enrolled = Promise.resolve(attached).then(enrol)
        try {
          const working = await enrolled
          working.ready.then(ready.resolve, ready.reject)
        } catch (error) {
          ready.reject(error)
          throw error
        }
      }

      async function remove(): Promise<void> {
        waiting.delete(begin)
        const working = await enrolled?.catch(() => undefined)
        await working?.remove()
        onRemoved()
      }

      if (attached === undefined) waiting.add(begin)
      else {
        const { log } = attached
        begin().catch((error: unknown) =>
          log.error({ err: error, consumer: name }, "a handler was not registered"),
        )
      }
      return { name, ready: ready.promise, remove: () => (removed ??= remove()) }
    },
    async attach(services) {
      attached = services
      for (const begin of waiting) {
        waiting.delete(begin)
        await begin()
      }
    },
  }
}
