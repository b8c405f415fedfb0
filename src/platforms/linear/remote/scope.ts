import type { LinearDocument } from "@linear/sdk"
import { type Fields, listOf } from "../../../core/fields.ts"

/** Of what the source's webhook tells. What lies outside of it is not backfilled either. */
export interface Scope {
  /** Models, as webhooks name them; null for all. */
  types: ReadonlySet<unknown> | null
  team: LinearDocument.TeamFilter
  /** Whether a team is within, where the API could not be asked to filter; true for no team. */
  holds(team: Fields | undefined): boolean
}

/**
 * Reads what `connect` has written: one team's id, or else all public teams. A key may see private teams
 * of its owner, but the webhook of a workspace never tells of them.
 */
export function scopeOf({ teamId, resourceTypes }: Fields): Scope {
  const types = Array.isArray(resourceTypes) ? new Set(listOf(resourceTypes)) : null
  if (typeof teamId === "string" && teamId !== "") {
    return {
      types,
      team: { id: { eq: teamId } },
      holds: (team) => team === undefined || team["id"] === teamId,
    }
  }
  return {
    types,
    team: { private: { eq: false } },
    holds: (team) => team === undefined || team["private"] !== true,
  }
}
