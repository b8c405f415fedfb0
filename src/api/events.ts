import { Hono, type Context } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import { filterFromParameters, type listKeys } from "../core/filter.ts"
import { renderEvent } from "../core/render.ts"
import { readAs, type Database } from "../store/database.ts"
import { findEventInHistory, readHistory } from "../store/history.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { parseQuery } from "./parse.ts"

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text))
const list = z.string().optional()
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(512).optional(),
  order: z.enum(["newest", "oldest"]).default("newest"),
  since: time.optional(),
  until: time.optional(),
  filter: z.string().optional(),
  platforms: list,
  types: list,
  entities: list,
  actors: list,
  sources: list,
  priority: list,
} satisfies Record<(typeof listKeys)[number], typeof list> & Record<string, z.ZodType>)
const cursorShape = z.tuple([z.number().int().min(0)])

/** `/api/v1/events`: history by filter, one event, and its body as received. */
export function eventRoutes(database: Database): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  async function history(c: Context<AuthEnv>): Promise<Response> {
    const { limit, cursor, order, since, until, filter: text, ...lists } = parseQuery(c, query)
    const { tenant } = c.var.principal
    const filter = filterFromParameters(text, (key) => (lists[key] === undefined ? undefined : [lists[key]]))
    const page = await readAs(database, tenant, (db) =>
      readHistory(db, {
        tenant,
        filter,
        order,
        limit,
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
        ...(cursor === undefined ? {} : { after: decodeCursor(cursor, cursorShape)[0] }),
      }),
    )
    // A payload goes out as it was written, so each event is text already.
    const events = page.events.map(renderEvent).join(",")
    const nextCursor = page.next === null ? null : encodeCursor([page.next])
    const body = `{"events":[${events}],"nextCursor":${JSON.stringify(nextCursor)}}`
    return c.body(body, 200, { "content-type": "application/json" })
  }

  async function find(c: Context<AuthEnv>) {
    const id = c.req.param("id") ?? ""
    const { tenant } = c.var.principal
    const event = await readAs(database, tenant, (db) => findEventInHistory(db, tenant, id))
    if (event === undefined) throw new SignalboxError("not_found", "there is no event of this id")
    return event
  }

  app.get("/", history)
  app.get("/history", history)
  app.get("/:id", async (c) =>
    c.body(renderEvent(await find(c)), 200, { "content-type": "application/json" }),
  )
  app.get("/:id/raw", async (c) => {
    const { raw, contentType } = await find(c)
    return c.body(new Uint8Array(raw), 200, {
      "content-type": contentType === "" ? "application/octet-stream" : contentType,
      "x-content-type-options": "nosniff",
      "content-disposition": "attachment", // a sender's bytes are never shown as a page of ours
    })
  })
  return app
}
