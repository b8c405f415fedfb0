import type { EventHeadFields } from "../core/filter.ts"
import { compileHeadSelection, compileSelection, selectionKey, type Selection } from "../core/selection.ts"
import { anchorsOf, type Anchor } from "./anchor.ts"
import type { Entry } from "./entry.ts"

/** What somebody may see of the log: one tenant's events, and of these what every selection lets pass. */
export interface View {
  readonly tenant: string
  /** Equal for views that show the same. */
  readonly key: string
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
  return {
    tenant,
    key: JSON.stringify([tenant, selectionKey(selection)]),
    anchors: anchorsOf(selection),
    shows: (entry) => entry.kind === "gap" || (entry.event.tenant === tenant && matches(entry.event)),
    mayShow: compileHeadSelection(selection),
  }
}
