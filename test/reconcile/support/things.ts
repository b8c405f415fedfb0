import type { WorldDelivery, WorldRecord } from "./world.ts"

/** A time so many minutes ago. */
export function minutesAgo(minutes: number): Date {
  return new Date(Date.now() - minutes * 60_000)
}

/** A delivery that failed once and comes when it is asked for. */
export function delivery(key: string, more: Partial<WorldDelivery> = {}): WorldDelivery {
  return {
    key,
    at: minutesAgo(30),
    entity: `world:thing:${key}`,
    name: "thing:made",
    attempts: ["502"],
    again: 1,
    copy: "there",
    ...more,
  }
}

/** A record of something on an entity of its own. */
export function record(key: string, more: Partial<WorldRecord> = {}): WorldRecord {
  return {
    key,
    at: minutesAgo(20),
    entity: `world:thing:${key}`,
    name: "thing:made",
    known: "happening",
    body: "with it",
    ...more,
  }
}

/** Puts things into a world under their keys. */
export function fill<T extends { key: string }>(map: Map<string, T>, things: readonly T[]): void {
  for (const thing of things) map.set(thing.key, thing)
}
