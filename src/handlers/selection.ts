import type { ConsumerDefinition } from "../consumers/definition.ts"
import type { MayWant } from "../consumers/log-window.ts"
import { compileFilter, compileHeadFilter, parseFilter } from "../core/filter.ts"
import { compileName } from "./event-names.ts"
import { checkName, type KnownNames } from "./known-names.ts"

/** Which events a handler takes, to run by and to show. */
export type Selection = Pick<ConsumerDefinition, "matches" | "mayWant" | "filter">

/** The events of a platform that a name stands for; throws `configuration` for one that is never sent. */
export function ofName(platform: string, name: string, known: KnownNames): Selection {
  checkName(platform, name, known)
  const matchesName = compileName(name)
  const matches: MayWant = (head) => head.platform === platform && matchesName(head.name)
  return {
    matches,
    mayWant: matches,
    filter: { platforms: [platform], names: [name] },
  }
}

/** The events whose type fits a pattern; throws 400 for what is no pattern. */
export function ofType(pattern: string): Selection {
  const filter = parseFilter({ types: [pattern] })
  return { matches: compileFilter(filter), mayWant: compileHeadFilter(filter), filter: { ...filter } }
}
