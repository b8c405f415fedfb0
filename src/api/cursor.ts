import type { z } from "zod"
import { SignalboxError } from "../core/errors.ts"

/** A page's end as an opaque token. */
export function encodeCursor(values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url")
}

/** Reads a token back; 400 for what no page gave. */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()))
  } catch (cause) {
    throw new SignalboxError("bad_request", "cursor: not one that an earlier page gave", { cause })
  }
}
