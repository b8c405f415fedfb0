import type { Context } from "hono"
import type { z } from "zod"
import { SignalboxError } from "../core/errors.ts"
import { faultOf } from "./fault.ts"

const maxBytes = 64 * 1024

/**
 * Parses a JSON body of 64 KiB at most (413) by a schema; 400 with every field that is wrong, and why.
 * `absent` stands in for a body that is empty, where one may be.
 */
export async function parseBody<T>(c: Context, schema: z.ZodType<T>, absent?: object): Promise<T> {
  const body = await readBody(c)
  if (body.length === 0 && absent !== undefined) return check(schema, absent, "key")
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body))
  } catch (cause) {
    throw new SignalboxError("malformed_json", "the body is not valid JSON", { cause })
  }
  return check(schema, value, "key")
}

/** A chunked body tells no length beforehand: it is counted as it comes. */
async function readBody(c: Context): Promise<Buffer> {
  if (Number(c.req.header("content-length") ?? 0) > maxBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of c.req.raw.body ?? []) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes)
}

function tooLarge(): SignalboxError {
  return new SignalboxError("too_large", `a body may have ${maxBytes} bytes at most here`)
}

/** Parses the query string by a schema; 400 with every parameter that is wrong, and why. */
export function parseQuery<T>(c: Context, schema: z.ZodType<T>): T {
  return check(schema, c.req.query(), "query parameter")
}

/** `what` says what the names of the value's members are, for people. */
function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value, { error: faultOf(what) })
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => {
    const path = issue.path.join(".")
    return path === "" ? issue.message : `${path}: ${issue.message}`
  })
  throw new SignalboxError("bad_request", problems.join("; "))
}
