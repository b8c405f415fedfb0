import { canonicalEntityKey } from "../core/entity-key.ts"
import type { EntityState, Link } from "../core/envelope.ts"
import type { Normalized } from "../core/platform.ts"
import type { StateStamp } from "../store/entity-states.ts"

const maxStates = 1_000

/** The states that can be kept: each of a thing of its own, at a time that is one. */
export function statesOf({ states = [] }: Normalized): EntityState[] {
  const byEntity = new Map<string, EntityState>()
  for (const state of states) {
    const entity = canonicalEntityKey(state.entity)
    if (entity === null || Number.isNaN(state.at.getTime()) || byEntity.has(entity)) continue
    byEntity.set(entity, { ...state, entity })
  }
  return [...byEntity.values()].slice(0, maxStates)
}

/** When the field stood so that shows a link; undefined where none of the states, of an event with this tie, tells of it. */
export function stampOfLink(
  { document, evidence }: Link,
  states: readonly EntityState[],
  tie: string,
): StateStamp | undefined {
  const state = states.find(({ entity }) => entity === document)
  return state !== undefined && Object.hasOwn(state.fields, evidence.field)
    ? { at: state.at, tie }
    : undefined
}
