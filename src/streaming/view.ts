import type { EventHeadFields, Filter } from "../core/filter.ts"
import {
  compileHeadSelection,
  compileSelection,
  foldSelection,
  selectionKey,
  type Selection,
} from "../core/selection.ts"
import { anchorsOf, type Anchor } from "./anchor.ts"
import type { Entry } from "./entry.ts"

/** What somebody may see of the log: one tenant's events, and of these what every selection lets pass. */
export interface View {
  readonly tenant: string
  /** Equal for views that show the same. */
  readonly key: string
  /**
   * What of it costs work of its own, by which those of one key are counted: null without a `where`, and equal
   * for views that want plain values at the same paths, since an index finds those that an event is for.
   */
  readonly work: string | null
  /** By any of which it is found: see view-index.ts. */
  readonly anchors: readonly Anchor[]
  /** Whether an entry belongs to it; gaps belong to everybody. */
  shows: (entry: Entry) => boolean
  /** Whether an event of the tenant's may belong to it, by its head alone. */
  mayShow: (event: EventHeadFields) => boolean
}

/** Compiles a view. */
export function createView(tenant: string, selections: readonly Selection[]): View {
  const selection = { all: selections }
  const matches = compileSelection(selection)
  const key = JSON.stringify([tenant, selectionKey(selection)])
  return {
    tenant,
    key,
    work: workOf(tenant, selection, key),
    anchors: anchorsOf(selection),
    shows: (entry) => entry.kind === "gap" || (entry.event.tenant === tenant && matches(entry.event)),
    mayShow: compileHeadSelection(selection),
  }
}

function workOf(tenant: string, selection: Selection, key: string): string | null {
  const wheres = foldSelection<NonNullable<Filter["where"]>[]>(selection, {
    filter: ({ where }) => (where === undefined ? [] : [where]),
    all: (parts) => parts.flat(),
    any: (parts) => parts.flat(),
  })
  if (wheres.length === 0) return null
  if (!wheres.every(wantsPlainValues)) return key
  const paths = new Set(wheres.flatMap((where) => Object.keys(where)))
  return JSON.stringify([tenant, ...[...paths].toSorted()])
}

function wantsPlainValues(where: NonNullable<Filter["where"]>): boolean {
  return Object.values(where).every((condition) => {
    const operators = typeof condition === "object" && condition !== null ? Object.keys(condition) : []
    return operators.every((operator) => operator === "$eq" || operator === "$in")
  })
}
