import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { SignalboxError } from "../../../core/errors.ts"
import type { RuleDefinition } from "../../../correlation/rule.ts"

const example =
  'export const rule = { name: "my_rule", version: 1, find: (event, normalized, references) => [] }'

/**
 * The rule definitions that a module exports, by itself or in lists. Throws `bad_request` where there is no
 * such file, where it cannot be loaded, and where it exports no rule.
 */
export async function loadRules(file: string): Promise<RuleDefinition[]> {
  const path = resolve(file)
  if (!existsSync(path)) throw new SignalboxError("bad_request", `there is no file ${path}`)
  let exported: Record<string, unknown>
  try {
    exported = { ...(await import(pathToFileURL(path).href)) }
  } catch (cause) {
    const [reason] = String(cause).split("\n")
    throw new SignalboxError("bad_request", `${path} cannot be loaded: ${reason}`, { cause })
  }
  const rules = [...new Set(Object.values(exported).flat())].filter(isDefinition)
  if (rules.length === 0) {
    throw new SignalboxError("bad_request", `${path} exports no rule, such as: ${example}`)
  }
  return rules
}

/** What else is wrong with it, its definition will say. */
function isDefinition(value: unknown): value is RuleDefinition {
  return typeof value === "object" && value !== null && "name" in value && "find" in value
}
