import {
  compileFilter,
  compileHeadFilter,
  filterKey,
  type EventHeadFields,
  type Filter,
} from "../core/filter.ts"
import type { Entry } from "./entry.ts"

/** What somebody may see of the log: one tenant's events, and of these what every filter lets pass. */
export interface View {
  readonly tenant: string
  /** Equal for views that show the same. */
  readonly key: string
  /** Whether an entry belongs to it; gaps belong to everybody. */
  shows: (entry: Entry) => boolean
  /** Whether an event of the tenant's may belong to it, by its head alone. */
  mayShow: (event: EventHeadFields) => boolean
}

/** Compiles a view. */
export function createView(tenant: string, filters: readonly Filter[]): View {
  const keys = [...new Set(filters.map(filterKey))].filter((key) => key !== "{}").toSorted()
  const whole = filters.map(compileFilter)
  const heads = filters.map(compileHeadFilter)
  return {
    tenant,
    key: JSON.stringify([tenant, ...keys]),
    shows: (entry) =>
      entry.kind === "gap" ||
      (entry.event.tenant === tenant && whole.every((matches) => matches(entry.event))),
    mayShow: (event) => heads.every((matches) => matches(event)),
  }
}
