import type { IncomingMessage } from "node:http"
import type { HttpBindings } from "@hono/node-server"
import { Hono } from "hono"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import type { PlatformName } from "../core/envelope.ts"
import { mediaType } from "../core/payload.ts"
import { uuidv7 } from "../core/uuid.ts"

/** What is said of a body that is taken in as if its sender had been verified. */
export interface Submission {
  platform: PlatformName
  tenant: string
  source: string
  contentType: string
  headers: Readonly<Record<string, string>>
}

/**
 * Reads the body of a request within the bounds that hold for all bodies in memory and takes it in, or
 * throws a SignalboxError; resolves after the commit.
 */
export type Submit = (
  incoming: IncomingMessage,
  submission: Submission,
) => Promise<{ eventId: string; duplicate: boolean; conflict: boolean }>

/** Node's own request is read, not the copy that fetch makes. */
type SubmitEnv = AuthEnv & { Bindings: HttpBindings }

/** Routes that submit an event of `platform` under the tenant of the key. */
export function submitRoute(submit: Submit, platform: PlatformName): Hono<SubmitEnv> {
  const app = new Hono<SubmitEnv>()
  app.post("/", async (c) => {
    const contentType = c.req.header("content-type") ?? "application/json"
    if (!mediaType(contentType).endsWith("json")) {
      throw new SignalboxError("unsupported_media_type", "send the event as application/json")
    }
    // Without a key of the caller's own, two equal submissions are two events. An empty one is none.
    const key = c.req.header("idempotency-key") || uuidv7()
    const result = await submit(c.env.incoming, {
      platform,
      tenant: c.var.principal.tenant,
      source: "api",
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
