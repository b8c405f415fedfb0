import { Hono } from "hono"
import { z } from "zod"
import type { Authenticate } from "../auth/authenticate.ts"
import { requireScope, type AuthEnv } from "../auth/middleware.ts"
import type { StreamTokens } from "../auth/stream-tokens.ts"
import { SignalboxError } from "../core/errors.ts"
import { durationSeconds, durationText } from "../core/duration.ts"
import { parseFilter } from "../core/filter.ts"
import { isStreamName, parseRoutes, streamNameForm } from "../core/stream-definition.ts"
import { readAs, type Database } from "../store/database.ts"
import {
  consumersOfStream,
  deleteStream,
  findStream,
  insertStream,
  listStreams,
  updateStream,
  type StreamRow,
  type StreamSettings,
} from "../store/streams.ts"
import { pageOf, pageOfAll } from "./page-of.ts"
import { parseBody, parseQuery } from "./parse.ts"

const name = z.string().refine(isStreamName, streamNameForm)
const filter = z.record(z.string(), z.unknown())
const tenYears = 3650 * 86_400
const retention = z.string().transform((text, context) => {
  const seconds = durationSeconds(text) ?? 0
  if (seconds > 0 && seconds <= tenYears) return seconds
  context.addIssue({ code: "custom", message: "must be a duration up to 3650d: 30m, 24h, 7d" })
  return z.NEVER
})
const settings = {
  filter: filter.optional(),
  routes: z.array(filter).nullable().optional(),
  retention: retention.nullable().optional(),
  partitions: z.number().int().min(1).max(256).nullable().optional(),
}
export const newStream = z
  .strictObject({ name, ...settings })
  .refine(({ filter: own, routes }) => own !== undefined || routes !== undefined, {
    path: ["filter"],
    message: "say which events belong to it, by a filter or by routes",
  })
export const change = z.strictObject(settings).refine((changes) => Object.keys(changes).length > 0, {
  message: "say what is to change: filter, routes, retention or partitions",
})
export const tokenRequest = z.strictObject({ seconds: z.number().int().min(1).max(300).default(60) })

export interface StreamRoutesOptions {
  database: Database
  authenticate: Authenticate
  tokens: StreamTokens
}

/**
 * `/api/v1/streams`: the streams that a tenant sees, built-in ones first; those of its own are made, changed
 * and removed with `admin`. `/:name/token` gives out what opens a stream once.
 */
export function streamAdminRoutes({ database, authenticate, tokens }: StreamRoutesOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  const mayRead = requireScope(authenticate, "events:read")
  const mayManage = requireScope(authenticate, "admin")

  app.get("/", mayRead, async (c) => {
    const wanted = parseQuery(c, pageOfAll)
    const { tenant } = c.var.principal
    const streams = await readAs(database, tenant, (db) => listStreams(db, [tenant]))
    const { page, nextCursor } = pageOf(streams, (one) => `${one.builtIn ? 0 : 1}${one.name}`, wanted)
    return c.json({ streams: page.map(show), nextCursor })
  })

  app.get("/:name", mayRead, async (c) => {
    const { tenant } = c.var.principal
    const found = await readAs(database, tenant, (db) => findStream(db, tenant, c.req.param("name")))
    if (found === undefined) throw unknown(c.req.param("name"))
    return c.json(show(found))
  })

  app.post("/", mayManage, async (c) => {
    const { name: stream, ...request } = await parseBody(c, newStream)
    const none = { filter: {}, routes: null, retentionSeconds: null, partitions: null }
    const made = await insertStream(database.work, c.var.principal.tenant, stream, {
      ...none,
      ...settingsIn(request),
    })
    if (made === undefined) {
      throw new SignalboxError("conflict", `there is a stream ${JSON.stringify(stream)} already`)
    }
    return c.json(show(made), 201)
  })

  app.patch("/:name", mayManage, async (c) => {
    const { tenant } = c.var.principal
    const stream = c.req.param("name")
    const wanted = settingsIn(await parseBody(c, change))
    const changed = await updateStream(database.work, tenant, stream, wanted)
    if (changed === undefined) throw await notOwn(tenant, stream)
    return c.json(show(changed))
  })

  app.delete("/:name", mayManage, async (c) => {
    const { tenant } = c.var.principal
    const stream = c.req.param("name")
    const users = await consumersOfStream(database.work, tenant, stream)
    const found = await readAs(database, tenant, (db) => findStream(db, tenant, stream))
    if (found?.builtIn === false && users.length > 0) {
      throw new SignalboxError("conflict", `the stream is in use: ${users.join(", ")}; remove these first`)
    }
    if (!(await deleteStream(database.work, tenant, stream))) throw await notOwn(tenant, stream)
    return c.body(null, 204)
  })

  app.post("/:name/token", requireScope(authenticate, "streams:read"), async (c) => {
    const { principal } = c.var
    const stream = c.req.param("name")
    const { seconds } = await parseBody(c, tokenRequest, {})
    const found = await readAs(database, principal.tenant, (db) => findStream(db, principal.tenant, stream))
    if (found === undefined) throw unknown(stream)
    const { token, expiresAt } = await tokens.issue(principal, stream, seconds)
    return c.json({ token, expiresAt }, 201)
  })

  async function notOwn(tenant: string, stream: string): Promise<SignalboxError> {
    const found = await readAs(database, tenant, (db) => findStream(db, tenant, stream))
    if (found === undefined) return unknown(stream)
    return new SignalboxError("conflict", `${stream} is built in; make a stream of your own beside it`)
  }

  return app
}

/** What of a request is given, as it is stored. */
function settingsIn(request: Omit<z.infer<typeof newStream>, "name">): Partial<StreamSettings> {
  const { filter: own, routes, retention: retentionSeconds, partitions } = request
  return {
    ...(own === undefined ? {} : { filter: parseFilter(own) }),
    ...(routes === undefined ? {} : { routes: parseRoutes(routes) }),
    ...(retentionSeconds === undefined ? {} : { retentionSeconds }),
    ...(partitions === undefined ? {} : { partitions }),
  }
}

/** A stream as the API shows it. */
export type ShownStream = ReturnType<typeof show>

function show({ name: stream, filter: shown, routes, retentionSeconds, partitions, builtIn }: StreamRow) {
  const kept = retentionSeconds === null ? null : durationText(retentionSeconds)
  return { name: stream, filter: shown, routes, retention: kept, partitions, builtIn }
}

function unknown(stream: string): SignalboxError {
  return new SignalboxError("not_found", `there is no stream ${JSON.stringify(stream)}`)
}
