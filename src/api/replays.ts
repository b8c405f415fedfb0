import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import { parseFilter } from "../core/filter.ts"
import {
  replayedDeliveries,
  replayStatuses,
  type Replay,
  type ReplayAdmin,
  type ReplayRequest,
} from "../core/replay.ts"
import { isUuid } from "../core/uuid.ts"
import { readAs, type Database } from "../store/database.ts"
import { findReplay, listReplays } from "../store/replays.ts"
import { instant } from "./instant.ts"
import { managedTenant } from "./managed-tenant.ts"
import { mustBeKey } from "./must-be-key.ts"
import { parseBody, parseQuery } from "./parse.ts"

const position = z.int().min(0)

export const newReplay = z
  .strictObject({
    /** Id or name of a webhook subscription, a handler, a subscriber or a consumer group. */
    to: z.string().min(1).max(200),
    filter: z.record(z.string(), z.unknown()).default({}),
    /** Times of receipt, `until` excluded. */
    since: instant.optional(),
    until: instant.optional(),
    /** Positions, `after` excluded. */
    after: position.optional(),
    upTo: position.optional(),
    /** The timeline of an entity. */
    entity: z.string().max(1024).optional(),
    correlationId: z.string().min(1).max(1024).optional(),
    /** Only events of which this became there before. */
    deliveries: z.array(z.enum(replayedDeliveries)).min(1).optional(),
    ratePerSecond: z.number().min(0.01).max(100_000).optional(),
    maxOutstanding: z.int().min(1).max(10_000).default(1_000),
    /** Counts, and makes nothing. */
    dryRun: z.boolean().default(false),
  })
  .superRefine(({ after = 0, upTo = after }, context) => {
    if (upTo >= after) return
    const message = `${upTo} is before after, ${after}, so that nothing is between them`
    context.addIssue({ code: "custom", path: ["upTo"], message })
  })

export const page = z.strictObject({
  status: z.enum(replayStatuses).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.uuid().optional(),
})

export interface ReplayRouteOptions {
  database: Database
  replays: ReplayAdmin
}

/** `/api/v1/replays`: hands events of the past once more to one consumer. */
export function replayRoutes({ database, replays }: ReplayRouteOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  app.post("/", async (c) => {
    const { dryRun, ...body } = await parseBody(c, newReplay)
    const { principal } = c.var
    const who = { everyTenant: managedTenant(principal) === null, keyId: principal.keyId }
    const request = toRequest(body)
    if (dryRun) return c.json(await replays.estimate(principal.tenant, request, who))
    const { replay, gap } = await replays.create(principal.tenant, request, who)
    return c.json({ ...show(replay), gap }, 201)
  })

  app.get("/", async (c) => {
    const { limit, cursor, status } = parseQuery(c, page)
    const { tenant } = c.var.principal
    const rows = await readAs(database, tenant, (db) =>
      listReplays(db, tenant, { status, before: cursor, limit }),
    )
    const last = rows.length === limit ? rows.at(-1) : undefined
    return c.json({ replays: rows.map(show), nextCursor: last?.id ?? null })
  })

  app.get("/:id", async (c) => {
    const { tenant } = c.var.principal
    const id = c.req.param("id")
    const found = isUuid(id) ? await findReplay(database.work, tenant, id) : undefined
    if (found === undefined) throw new SignalboxError("not_found", "there is no replay of this id")
    return c.json(show(found))
  })

  app.post("/:id/pause", async (c) =>
    c.json(show(await replays.pause(c.var.principal.tenant, c.req.param("id")))),
  )
  app.post("/:id/resume", async (c) =>
    c.json(show(await replays.resume(c.var.principal.tenant, c.req.param("id")))),
  )
  app.delete("/:id", async (c) =>
    c.json(show(await replays.cancel(c.var.principal.tenant, c.req.param("id")))),
  )
  return app
}

function toRequest(body: Omit<z.infer<typeof newReplay>, "dryRun">): ReplayRequest {
  return {
    to: body.to,
    filter: parseFilter(body.filter),
    since: body.since ?? null,
    until: body.until ?? null,
    after: body.after ?? null,
    upTo: body.upTo ?? null,
    entity: body.entity === undefined ? null : mustBeKey(body.entity),
    correlationId: body.correlationId ?? null,
    deliveries: body.deliveries ?? null,
    ratePerSecond: body.ratePerSecond ?? null,
    maxOutstanding: body.maxOutstanding,
  }
}

/** A replay as the API shows it. */
export type ShownReplay = ReturnType<typeof show>

function show({ since, until, createdAt, finishedAt, entities, ...replay }: Replay) {
  return {
    ...replay,
    entities: entities?.length ?? null,
    since: since?.toISOString() ?? null,
    until: until?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  }
}
