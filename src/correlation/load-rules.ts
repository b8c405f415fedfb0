import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { SignalboxError } from "../core/errors.ts"
import type { RuleDefinition } from "./rule.ts"

const example =
  'export const rule = { name: "my_rule", version: 1, find: (event, normalized, references) => [] }'

/** The rule definitions of several files, in their order; a file that is named twice is read once. */
export async function loadRules(files: readonly string[]): Promise<RuleDefinition[]> {
  const paths = new Set(files.map((file) => resolve(file)))
  return (await Promise.all([...paths].map(loadFile))).flat()
}

/**
 * The rule definitions that a module exports, by itself or in lists. Throws `configuration` where there is no
 * such file, where it cannot be loaded, and where it exports no rule.
 */
async function loadFile(path: string): Promise<RuleDefinition[]> {
  if (!existsSync(path)) throw new SignalboxError("configuration", `there is no file ${path}`)
  let exported: Record<string, unknown>
  try {
    exported = { ...(await import(pathToFileURL(path).href)) }
  } catch (cause) {
    const [reason] = String(cause).split("\n")
    throw new SignalboxError("configuration", `${path} cannot be loaded: ${reason}`, { cause })
  }
  const rules = [...new Set(Object.values(exported).flat())].filter(isDefinition)
  if (rules.length === 0) {
    throw new SignalboxError("configuration", `${path} exports no rule, such as: ${example}`)
  }
  return rules
}

/** What is wrong with it, its definition will say: one without `find`, or with a misspelt name, were else passed over in silence. */
function isDefinition(value: unknown): value is RuleDefinition {
  return typeof value === "object" && value !== null && ("name" in value || "version" in value)
}
