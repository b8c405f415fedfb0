import type { ShownRule } from "../core/shown-rule.ts"
import type { Rule } from "./rule.ts"

/** A rule as it is listed. */
export function showRule({ name, version, about }: Pick<Rule, "name" | "version" | "about">): ShownRule {
  return {
    name,
    version,
    builtIn: about !== null,
    relation: about?.relation ?? null,
    strength: about?.strength ?? null,
    weakWhere: about?.weakWhere ?? null,
    reads: about?.reads ?? null,
  }
}
