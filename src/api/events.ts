import { Hono, type Context } from "hono"
import { z } from "zod"
import { checkEvents } from "../auth/allowances.ts"
import type { AuthEnv } from "../auth/middleware.ts"
import type { LoggedEvent } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import { filterFromParameters, type listKeys } from "../core/filter.ts"
import { renderEvent } from "../core/render.ts"
import { readAs, type Database } from "../store/database.ts"
import { findEventInHistory, readHistory, type HistoryPage, type HistoryQuery } from "../store/history.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { fewAtOnce } from "./few-at-once.ts"
import { parseQuery } from "./parse.ts"
import { pull } from "./pull.ts"

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text))
const list = z.string().optional()
const place = z
  .string()
  .regex(/^(?:earliest|latest|\d{1,15})$/, 'must be a position (a whole number), "earliest" or "latest"')
  .transform((text) => (text === "earliest" || text === "latest" ? text : Number(text)))
/** To pass over more costs more than to go on by a cursor. */
const mostSkipped = 10_000
export const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  offset: z.coerce.number().int().min(0).max(mostSkipped).optional(),
  cursor: z.string().max(512).optional(),
  order: z.enum(["newest", "oldest"]).optional(),
  after: place.optional(),
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
const whole = z.number().int().min(0)
const cursorShape = z.tuple([whole]).rest(whole) // a position, and what is still to be passed over behind it

/** `/api/v1/events`: history by filter, one event, and its body as received. */
export function eventRoutes(database: Database): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  // What next to nothing matches is looked for in all of the log: of the reader pool's five connections two are
  // left to whatever else is asked, and one of the others to other tenants.
  const oneOfFew = fewAtOnce({
    what: "history",
    instead: "ask for one at a time, or for a shorter range",
    limit: 3,
    each: 2,
    waitMs: 10_000,
  })

  async function history(c: Context<AuthEnv>): Promise<Response> {
    const { limit, offset, cursor, order, after, since, until, filter: text, ...lists } = parseQuery(c, query)
    const { tenant } = c.var.principal
    checkEvents(c.var.allowance)
    const filter = filterFromParameters(text, (key) => (lists[key] === undefined ? undefined : [lists[key]]))
    const times = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) }
    const { signal } = c.req.raw
    const searches = Object.keys(filter).length > 0 || since !== undefined || until !== undefined
    const [start, left] = cursor === undefined ? [] : decodeCursor(cursor, cursorShape)
    const read = async (
      part: Pick<HistoryQuery, "order" | "after" | "upTo" | "offset">,
    ): Promise<HistoryPage> => {
      const page = (): Promise<HistoryPage> => {
        if (signal.aborted) throw new SignalboxError("bad_request", "nobody waits for the answer any more")
        return readAs(database, tenant, (db) => readHistory(db, { tenant, filter, limit, ...times, ...part }))
      }
      // What goes by positions looks at so many of them at most.
      return searches && part.upTo === undefined ? oneOfFew(tenant, page) : page()
    }
    if (after === undefined) {
      const from = start === undefined ? { offset: offset ?? 0 } : { after: start, offset: left ?? 0 }
      const page = await read({ order: order ?? "newest", ...from })
      const next = page.next === null ? null : encodeCursor([page.next, page.offset])
      return listing(c, page.events, { nextCursor: next })
    }
    if (order === "newest") {
      throw new SignalboxError("bad_request", "after: goes with the oldest first; leave out order=newest")
    }
    if (offset !== undefined) {
      throw new SignalboxError("bad_request", "offset: goes without after, which says where a page begins")
    }
    const { events, position, more } = await pull(database, start ?? after, async (from, upTo) =>
      read({ order: "oldest", after: from, upTo }),
    )
    return listing(c, events, { nextCursor: more ? encodeCursor([position]) : null, position })
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

/** An answer with events; a payload goes out as it was written, so each of them is text already. */
function listing(c: Context<AuthEnv>, events: readonly LoggedEvent[], rest: object): Response {
  c.var.allowance.events?.spend(events.length)
  const rendered = events.map((event) => renderEvent(event)).join(",")
  return c.body(`{"events":[${rendered}],${JSON.stringify(rest).slice(1)}`, 200, {
    "content-type": "application/json",
  })
}
