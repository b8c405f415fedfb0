import type { Context } from "hono"
import type { z } from "zod"
import { SignalboxError } from "../core/errors.ts"

/** Parses a JSON body by a schema; 400 with every field that is wrong, and why. */
export async function parseBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new SignalboxError("malformed_json", "the body is not valid JSON", { cause })
  }
  return check(schema, value)
}

/** Parses the query string by a schema; 400 with every parameter that is wrong, and why. */
export function parseQuery<T>(c: Context, schema: z.ZodType<T>): T {
  return check(schema, c.req.query())
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path.join(".")
    return path === "" ? issue.message : `${path}: ${issue.message}`
  })
  throw new SignalboxError("bad_request", problems.join("; "))
}
