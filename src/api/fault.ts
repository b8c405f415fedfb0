import { z } from "zod"
import { unknownNames } from "../core/nearest-name.ts"
import { timeFault } from "./instant.ts"

type Issue = z.core.$ZodRawIssue

/**
 * What is wrong with a value in words of ours, for all that a schema does not say in words of its own. Of a
 * name that is none the nearest known one is told: `what` says what the names are of.
 */
export function faultOf(what: string): (issue: Issue) => string | undefined {
  return (issue) => {
    switch (issue.code) {
      case "unrecognized_keys":
        return unknownNames(what, issue.keys, namesOf(issue.inst))
      case "invalid_type":
        return issue.input === undefined ? "is missing" : `must be ${types[issue.expected] ?? issue.expected}`
      case "invalid_value":
        return `must be ${issue.values.length > 2 ? "one of " : ""}${alternatives(issue.values)}`
      case "too_small":
        return sized(issue.origin, Number(issue.minimum), "or more", issue.inclusive)
      case "too_big":
        return sized(issue.origin, Number(issue.maximum), "at most", issue.inclusive)
      case "invalid_format":
        return issue.format === "datetime" ? timeFault(issue.input) : formats[issue.format]
      default:
        return undefined
    }
  }
}

const types: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
}

const formats: Readonly<Record<string, string>> = { uuid: "must be a UUID", url: "must be a URL" }

function namesOf(schema: Issue["inst"]): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

function alternatives(values: readonly unknown[]): string {
  return values.map(String).join(values.length > 2 ? ", " : " or ")
}

function sized(of: string, bound: number, side: "or more" | "at most", inclusive = true): string {
  if (of === "string") return `must have ${bound} characters ${side}`
  if (of === "array") return `must list ${bound} ${side}`
  if (!inclusive) return `must be ${side === "or more" ? "above" : "below"} ${bound}`
  return `must be ${bound} ${side === "or more" ? "or more" : "or less"}`
}
