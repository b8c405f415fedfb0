import type { LoggedEvent } from "./envelope.ts"
import { askWithin, createSteps, maxSelectionSteps, type Steps } from "./filter-steps.ts"
import { compileFilter, compileHeadFilter, filterKey, type EventHeadFields, type Filter } from "./filter.ts"

/** Which events somebody wants: those of a filter, of every one of some selections, or of any of some (none: of none). */
export type Selection = Filter | { all: readonly Selection[] } | { any: readonly Selection[] }

/** What follows from a selection by what follows from its filters. */
export function foldSelection<T>(
  selection: Selection,
  by: {
    filter: (filter: Filter) => T
    all: (parts: readonly T[]) => T
    any: (parts: readonly T[]) => T
  },
): T {
  if ("all" in selection) return by.all(selection.all.map((part) => foldSelection(part, by)))
  if ("any" in selection) return by.any(selection.any.map((part) => foldSelection(part, by)))
  return by.filter(selection)
}

/**
 * Compiles a selection as `compileFilter` does a filter. What its filters together may spend on an event is
 * bounded too: once it is spent, the conditions of those asked after count as not matched.
 */
export function compileSelection(selection: Selection): (event: LoggedEvent) => boolean {
  const test = foldSelection(
    selection,
    tests((filter): Test<LoggedEvent> => {
      const matches = compileFilter(filter)
      if (filter.where === undefined) return matches
      return (event, steps) => askWithin(steps, (own) => matches(event, own))
    }),
  )
  return (event) => test(event, createSteps(maxSelectionSteps))
}

/** Compiles what of a selection needs no more than the head fields; lets pass what the whole might. */
export function compileHeadSelection(selection: Selection): (event: EventHeadFields) => boolean {
  const test = foldSelection(selection, tests<EventHeadFields>(compileHeadFilter))
  return (event) => test(event, noSteps)
}

/** Equal for selections that are made of the same filters. */
export function selectionKey(selection: Selection): string {
  return foldSelection<string>(selection, {
    filter: filterKey,
    all: (parts) => {
      const narrowing = [...new Set(parts)].filter((part) => part !== "{}").toSorted()
      return narrowing.length > 1 ? `{"all":[${narrowing.join(",")}]}` : (narrowing[0] ?? "{}")
    },
    any: (parts) => {
      const kept = [...new Set(parts)].toSorted()
      return kept.length === 1 ? kept.join("") : `{"any":[${kept.join(",")}]}`
    },
  })
}

/** Of tests that need none. */
const noSteps = createSteps(0)

type Test<Event> = (event: Event, steps: Steps) => boolean

function tests<Event>(filter: (filter: Filter) => Test<Event>) {
  return {
    filter,
    all: (parts: readonly Test<Event>[]): Test<Event> =>
      parts.length === 1 && parts[0] !== undefined
        ? parts[0]
        : (event, steps) => parts.every((test) => test(event, steps)),
    any: (parts: readonly Test<Event>[]): Test<Event> =>
      parts.length === 1 && parts[0] !== undefined
        ? parts[0]
        : (event, steps) => parts.some((test) => test(event, steps)),
  }
}
