import type { Filter } from "../core/filter.ts"
import { SignalboxClientError } from "./errors.ts"
import type { OptionNames } from "./known-options.ts"

/** Each of a filter's lists may be one value alone. */
type Lists = {
  [Key in Exclude<keyof Filter, "where">]?:
    | NonNullable<Filter[Key]>
    | NonNullable<Filter[Key]>[number]
    | undefined
}

/** Which events are wanted: a filter, its lists beside it, or both. */
export interface FilterOptions extends Lists {
  filter?: FilterInput | undefined
}

/** A filter as the hub takes it. */
export interface FilterInput extends Lists {
  /** Conditions on fields: `{"payload.pull_request.base.ref": {"$eq": "main"}}`. */
  where?: Filter["where"] | undefined
}

export const filterOptionNames = {
  filter: true,
  platforms: true,
  types: true,
  entities: true,
  actors: true,
  sources: true,
  priority: true,
} satisfies OptionNames<FilterOptions>

const listKeys = ["platforms", "types", "entities", "actors", "sources", "priority"] as const

/** The `filter` parameter that the options come to; undefined where they want everything. */
export function filterParameter(options: FilterOptions): string | undefined {
  const filter: Record<string, unknown> = { ...options.filter }
  for (const key of listKeys) {
    if (options[key] === undefined) continue
    if (filter[key] !== undefined) {
      throw new SignalboxClientError("bad_request", `${key} is given both in filter and by itself`)
    }
    filter[key] = options[key]
  }
  return Object.keys(filter).length === 0 ? undefined : JSON.stringify(filter)
}

/** `?a=1&b=2` of what is defined, or nothing. */
export function queryString(
  parameters: Readonly<Record<string, Date | string | number | boolean | undefined>>,
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) search.set(name, value instanceof Date ? value.toISOString() : String(value))
  }
  const text = search.toString()
  return text === "" ? "" : `?${text}`
}
