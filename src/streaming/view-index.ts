import type { LoggedEvent } from "../core/envelope.ts"
import { compilePath } from "../core/filter-path.ts"
import { createSteps, isSpent } from "../core/filter-steps.ts"
import { anchorValues, type Anchor } from "./anchor.ts"
import { createTally } from "./tally.ts"
import type { View } from "./view.ts"

/** Finds, among many things with a view each, those whose view may show an event, without asking the rest. */
export interface ViewIndex<T> {
  add(view: View, item: T): void
  remove(view: View, item: T): void
  /** Each once. All others' views do not show it. */
  candidates(event: LoggedEvent): Iterable<T>
  /** All of them. */
  all(): Iterable<T>
}

/** What looks for values at a path, and how they are found there. */
interface PathItems<T> {
  read: ReturnType<typeof compilePath>
  items: Set<T>
}

/** Makes an index, empty. */
export function createViewIndex<T>(): ViewIndex<T> {
  const items = new Set<T>()
  const places = new Map<string, Set<T>>()
  const kinds = createTally<Exclude<Anchor["kind"], "where">>()
  // Of each tenant its own: what one looks for costs the events of others nothing.
  const paths = new Map<string, Map<string, PathItems<T>>>()

  function addTo(key: string, item: T): void {
    const known = places.get(key)
    if (known === undefined) places.set(key, new Set([item]))
    else known.add(item)
  }

  function removeFrom(key: string, item: T): void {
    const known = places.get(key)
    if (known?.delete(item) === true && known.size === 0) places.delete(key)
  }

  /** Things that want one of the values an event has at a path; all that look there where it is not known. */
  function* atPaths(event: LoggedEvent): Generator<T> {
    for (const [path, { read, items: there }] of paths.get(event.tenant) ?? []) {
      const steps = createSteps()
      const values = read(event, steps)
      if (isSpent(steps)) {
        yield* there
        continue
      }
      for (const value of values) {
        if (typeof value === "object" && value !== null) continue
        yield* places.get(keyOf(event.tenant, "where", JSON.stringify(value), path)) ?? []
      }
    }
  }

  function* found(event: LoggedEvent): Generator<T> {
    for (const kind of kinds.names()) {
      for (const value of anchorValues[kind](event)) yield* places.get(keyOf(event.tenant, kind, value)) ?? []
    }
    yield* atPaths(event)
  }

  function addAnchor(tenant: string, { kind, path, values }: Anchor, item: T): void {
    for (const value of values) addTo(keyOf(tenant, kind, value, path), item)
    if (kind !== "where") kinds.add(kind)
    else if (path !== undefined) {
      const own = paths.get(tenant) ?? new Map<string, PathItems<T>>()
      const known = own.get(path) ?? { read: compilePath(path), items: new Set<T>() }
      known.items.add(item)
      own.set(path, known)
      paths.set(tenant, own)
    }
  }

  function removeAnchor(tenant: string, { kind, path, values }: Anchor, item: T): void {
    for (const value of values) removeFrom(keyOf(tenant, kind, value, path), item)
    if (kind !== "where") kinds.remove(kind)
    else if (path !== undefined) {
      const own = paths.get(tenant)
      const known = own?.get(path)
      if (known?.items.delete(item) !== true || known.items.size > 0) return
      own?.delete(path)
      if (own?.size === 0) paths.delete(tenant)
    }
  }

  return {
    add: ({ tenant, anchors }, item) => {
      items.add(item)
      for (const anchor of anchors) addAnchor(tenant, anchor, item)
    },
    remove: ({ tenant, anchors }, item) => {
      if (!items.delete(item)) return
      for (const anchor of anchors) removeAnchor(tenant, anchor, item)
    },
    candidates: (event) => new Set(found(event)),
    all: () => items,
  }
}

function keyOf(tenant: string, kind: Anchor["kind"], value: string, path = ""): string {
  return JSON.stringify([tenant, kind, path, value])
}
