import { Hono, type Context, type Env } from "hono"
import { routePath } from "hono/route"
import { z } from "zod"
import { entityKind } from "../core/entity-key.ts"
import { renderEventBytes, renderEventHead } from "../core/render.ts"
import { linksOf, type LinkCursor, type LinkEvidence } from "../store/correlations.ts"
import { readAs, type Database } from "../store/database.ts"
import { entityView } from "../store/entity-view.ts"
import { timeline, type TimelineCursor } from "../store/timeline.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { readThen } from "./first-heard.ts"
import { instant } from "./instant.ts"
import { mustBeKey } from "./must-be-key.ts"
import { mustKnow } from "./must-know.ts"
import { parseQuery } from "./parse.ts"

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().max(4096).optional(),
  asOf: instant.optional(),
})
export const view = page.pick({ asOf: true })
export const timelinePage = page.extend({ payload: z.enum(["true", "false"]).default("true") })

const utc = /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00( BC)?$/
const timelineCursor = z.tuple([z.string().regex(utc), z.number().int()])
const linkCursor = z.tuple([
  z.enum(["out", "in"]),
  z.enum(["strong", "weak"]),
  z.string(),
  z.string(),
  z.string(),
  z.uuid(),
])

/**
 * `/api/v1/entities`: how an entity stands, its timeline and its links. Its key is one percent-encoded segment
 * (`github%3Apull_request%3Aacme%2Fapi%2342`); slashes and colons may also stand as they are.
 */
export function entityRoutes<E extends Env>(
  database: Database,
  tenantOf: (c: Context<E>) => string,
): Hono<E> {
  const app = new Hono<E>()

  app.get("/:key{.+}/timeline", async (c) => {
    const { limit, cursor, payload, asOf } = parseQuery(c, timelinePage)
    const options = {
      limit,
      cursor: readTimelineCursor(cursor),
      payload: payload === "true",
      asOf: asOf ?? null,
    }
    const tenant = tenantOf(c)
    const entity = keyOf(c)
    const found = await readAs(database, tenant, async (db) => {
      const told = await readThen(
        db,
        { tenant, key: entity, asOf },
        (one) => timeline(db, tenant, one, options),
        ({ events, links }) => events.length + links.length === 0,
      )
      if (told.events.length + told.links.length === 0) await mustKnow(db, tenant, entity)
      return told
    })
    const { events: _, links, nextCursor, ...further } = found
    const showWay = onceEach((via: readonly LinkEvidence[]) => `"via":${JSON.stringify(via.map(showLink))}`)
    const events = found.events.map(({ event, via }) =>
      options.payload
        ? renderEventBytes(event, showWay(via))
        : Buffer.from(renderEventHead(event, showWay(via))),
    )
    const rest = JSON.stringify({
      links: links.map(showLink),
      nextCursor: nextCursor === null ? null : encodeCursor([nextCursor.at, nextCursor.position]),
      ...further,
    })
    const body = joined(`{"entity":${JSON.stringify(entity)},"events":[`, events, `],${rest.slice(1)}`)
    return c.body(body, 200, { "content-type": "application/json" })
  })

  app.get("/:key{.+}/links", async (c) => {
    const { limit, cursor, asOf } = parseQuery(c, page)
    const options = {
      limit,
      cursor: readLinkCursor(cursor),
      asOf: asOf ?? null,
    }
    const tenant = tenantOf(c)
    const entity = keyOf(c)
    const { links, nextCursor, ...further } = await readAs(database, tenant, async (db) => {
      await mustKnow(db, tenant, entity)
      return readThen(
        db,
        { tenant, key: entity, asOf },
        (one) => linksOf(db, tenant, one, options),
        (told) => told.links.length === 0,
      )
    })
    return c.json({
      entity,
      links: links.map((link) => ({ ...showLink(link), direction: link.direction })),
      nextCursor: nextCursor === null ? null : writeLinkCursor(nextCursor),
      ...further,
    })
  })

  // Last, as it takes whatever is left; as a parameter of any form the key would take the others' endings too.
  app.get("/*", async (c) => {
    const { asOf } = parseQuery(c, view)
    const tenant = tenantOf(c)
    const key = mustBeKey(restOfPath(c))
    const found = await readAs(database, tenant, async (db) => {
      await mustKnow(db, tenant, key)
      const viewBy = async (one: string) => {
        const { aliases, ...seen } = await entityView(db, tenant, one, asOf ?? null)
        const others = one === key ? aliases : [...aliases, one].toSorted()
        return { aliases: others, ...seen }
      }
      return readThen(db, { tenant, key, asOf }, viewBy, ({ firstSeenAt }) => firstSeenAt === null)
    })
    const { deletedAt, ...rest } = found
    const deleted = deletedAt === null ? { deleted: false } : { deleted: true, deletedAt }
    return c.json({ key, kind: entityKind(key), ...rest, ...deleted })
  })

  return app
}

function keyOf(c: Context): string {
  return mustBeKey(c.req.param("key") ?? "")
}

/** What stands where the route has its asterisk, decoded; nothing where it cannot be. */
function restOfPath(c: Context): string {
  try {
    return decodeURIComponent(c.req.path.slice(routePath(c).length - "*".length))
  } catch {
    return ""
  }
}

const comma = Buffer.from(",")

/** One answer of parts that are bytes already, since a payload goes out as it was written. */
function joined(before: string, parts: readonly Buffer[], after: string): Uint8Array<ArrayBuffer> {
  const between = parts.flatMap((part, n) => (n === 0 ? [part] : [comma, part]))
  return Buffer.concat([Buffer.from(before), ...between, Buffer.from(after)])
}

/** Does it once for each object, and answers the same for that from then on. */
function onceEach<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>()
  return (key) => {
    let value = made.get(key)
    if (value === undefined) made.set(key, (value = make(key)))
    return value
  }
}

/** A link as the API shows it. */
export type ShownLink = ReturnType<typeof showLink>

function showLink(link: LinkEvidence) {
  const { from, to, relation, rule, ruleVersion, strength, confidence, evidence, eventId } = link
  const occurredAt = link.occurredAt.toISOString()
  return { from, to, relation, rule, ruleVersion, strength, confidence, evidence, eventId, occurredAt }
}

function readTimelineCursor(cursor: string | undefined): TimelineCursor | null {
  if (cursor === undefined) return null
  const [at, position] = decodeCursor(cursor, timelineCursor)
  return { at, position }
}

function readLinkCursor(cursor: string | undefined): LinkCursor | null {
  if (cursor === undefined) return null
  const [direction, strength, other, relation, rule, eventId] = decodeCursor(cursor, linkCursor)
  return { direction, strength, other, relation, rule, eventId }
}

function writeLinkCursor({ direction, strength, other, relation, rule, eventId }: LinkCursor): string {
  return encodeCursor([direction, strength, other, relation, rule, eventId])
}
