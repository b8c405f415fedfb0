import type { ConsumerRecord } from "../store/consumers.ts"
import type { ConsumerDefinition } from "./definition.ts"
import { retryPolicy, type RetryPolicy } from "./retry-policy.ts"
import type { AnyDefinition } from "./worker-services.ts"

/** A consumer among those of a process. */
export interface Entry {
  definition: AnyDefinition
  policy: RetryPolicy
  /** Settled once it is registered, or cannot be. */
  ready: PromiseWithResolvers<void>
  registering?: Promise<void>
  /** Id as it is stored; from when it is registered on. */
  id?: string
}

/** A consumer that is not registered yet. */
export function toEntry(definition: AnyDefinition): Entry {
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {}) // told by the start, or in the log
  return { definition, policy: retryPolicy(definition.retry), ready }
}

/** What no two consumers of a process may have in common. */
export function entryKey({ tenant, name }: AnyDefinition): string {
  return `${tenant}/${name}`
}

/** A definition as it is stored. */
export function recordOf(definition: ConsumerDefinition): ConsumerRecord {
  const { tenant, name, kind, stream, filter = {}, partitions = 1, from = "head" } = definition
  return { tenant, name, kind, stream, filter, partitions, from }
}
