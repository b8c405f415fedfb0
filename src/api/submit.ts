import { Hono } from "hono"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import type { PlatformName } from "../core/envelope.ts"
import { mediaType } from "../core/payload.ts"
import { uuidv7 } from "../core/uuid.ts"

/** A body to take in as if its sender had been verified. */
export interface Submission {
  platform: PlatformName
  tenant: string
  source: string
  body: Buffer
  contentType: string
  headers: Readonly<Record<string, string>>
}

/** Takes a submission in, or throws a SignalboxError; resolves after the commit. */
export type Submit = (
  submission: Submission,
) => Promise<{ eventId: string; duplicate: boolean; conflict: boolean }>

/** Routes that submit an event of `platform` under the tenant of the key. */
export function submitRoute(submit: Submit, platform: PlatformName, maxBytes: number): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  app.post("/", async (c) => {
    const contentType = c.req.header("content-type") ?? "application/json"
    if (!mediaType(contentType).endsWith("json")) {
      throw new SignalboxError("unsupported_media_type", "send the event as application/json")
    }
    if (Number(c.req.header("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes)
    const body = await readUpTo(c.req.raw.body, maxBytes)
    // Without a key of the caller's own, two equal submissions are two events.
    const key = c.req.header("idempotency-key") ?? uuidv7()
    const result = await submit({
      platform,
      tenant: c.var.principal.tenant,
      source: "api",
      body,
      contentType,
      headers: { "idempotency-key": key },
    })
    if (result.conflict) {
      throw new SignalboxError(
        "conflict",
        `event ${result.eventId} was submitted under the same key with another body; this body is kept in event_conflicts`,
      )
    }
    return c.json({ eventId: result.eventId, duplicate: result.duplicate }, 202)
  })
  return app
}

/** A chunked body tells no length beforehand: it is counted as it comes. */
async function readUpTo(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream ?? []) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes)
}

function tooLarge(maxBytes: number): SignalboxError {
  return new SignalboxError("too_large", `a body may have ${maxBytes} bytes at most`)
}
