import { canonicalEntityKey } from "../core/entity-key.ts"
import type { EntityState, Link } from "../core/envelope.ts"
import type { Normalized } from "../core/platform.ts"
import type { StateStamp } from "../store/entity-states.ts"

const maxStates = 1_000

/** The states that can be kept: one of a thing at a time, and that is one. */
export function statesOf({ states = [] }: Normalized): EntityState[] {
  const kept = new Map<string, EntityState>()
  for (const state of states) {
    const entity = canonicalEntityKey(state.entity)
    const at = state.at.getTime()
    const place = `${at} ${entity}`
    if (entity === null || Number.isNaN(at) || kept.has(place)) continue
    kept.set(place, { ...state, entity })
  }
  return [...kept.values()].slice(0, maxStates)
}

/** When the field stood so that shows a link; undefined where none of the states, of an event with this tie, tells of it. */
export function stampOfLink(
  { document, evidence }: Link,
  states: readonly EntityState[],
  tie: string,
): StateStamp | undefined {
  const state = states.find(
    ({ entity, fields }) => entity === document && Object.hasOwn(fields, evidence.field),
  )
  return state === undefined || state.keepsLinks === true ? undefined : { at: state.at, tie }
}
