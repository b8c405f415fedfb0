import { Hono } from "hono"
import { z } from "zod"
import type { Authenticate } from "../auth/authenticate.ts"
import { requireScope, type AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import { parseFilter } from "../core/filter.ts"
import {
  deleteGroup,
  findGroup,
  insertGroup,
  listGroups,
  noSuchGroup,
  type GroupRow,
} from "../store/consumer-groups.ts"
import { readAs, transaction, type Database } from "../store/database.ts"
import { groupLag, type PartitionLag } from "../store/group-lag.ts"
import { groupState } from "../store/group-members.ts"
import { mustBeReached } from "../store/log-pages.ts"
import { findStream } from "../store/streams.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { parseBody, parseQuery } from "./parse.ts"

const mostPartitions = 64
const usualPartitions = 8

export const newGroup = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][\w.-]{0,62}$/,
      'has 1 to 63 letters, digits, "_", "-" and ".", and begins with a letter or digit',
    ),
  stream: z.string().min(1).max(200).default("all_events"),
  filter: z.record(z.string(), z.unknown()).default({}),
  start: z
    .union([z.enum(["earliest", "latest"]), z.int().min(0)], "must be earliest, latest or a position")
    .default("latest"),
  partitions: z.int().min(1).max(mostPartitions).optional(),
  sessionSeconds: z.number().min(2).max(3_600).default(10),
  maxMembers: z.int().min(1).max(256).default(64),
})

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(512).optional(),
})

export interface GroupRouteOptions {
  database: Database
  authenticate: Authenticate
}

/** `/api/v1/consumer-groups`: groups are made, shown with their members, cursors and lag, and removed. */
export function consumerGroupRoutes({ database, authenticate }: GroupRouteOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  const mayRead = requireScope(authenticate, "events:read")
  const mayManage = requireScope(authenticate, "admin")
  const { work } = database

  app.get("/", mayRead, async (c) => {
    const { limit, cursor } = parseQuery(c, page)
    const { tenant } = c.var.principal
    const after = cursor === undefined ? null : decodeCursor(cursor, z.tuple([z.string()]))[0]
    const rows = await readAs(database, tenant, (db) => listGroups(db, tenant, { limit, after }))
    const last = rows.length === limit ? rows.at(-1) : undefined
    return c.json({
      groups: rows.map(show),
      nextCursor: last === undefined ? null : encodeCursor([last.name]),
    })
  })

  app.post("/", mayManage, async (c) => {
    const { start, sessionSeconds, ...request } = await parseBody(c, newGroup)
    const { tenant } = c.var.principal
    const filter = { ...parseFilter(request.filter) }
    const stream = await readAs(database, tenant, (db) => findStream(db, tenant, request.stream))
    if (stream === undefined) {
      throw new SignalboxError("bad_request", `stream: there is no stream ${JSON.stringify(request.stream)}`)
    }
    if (typeof start === "number") await mustBeReached(work, "start", start, "begin with earliest or latest")
    const partitions = request.partitions ?? Math.min(stream.partitions ?? usualPartitions, mostPartitions)
    const settings = { ...request, partitions, filter, sessionMs: Math.round(sessionSeconds * 1000) }
    const from = start === "latest" ? "head" : start
    const made = await transaction(work, (db) => insertGroup(db, tenant, settings, from))
    if (made === undefined) {
      throw new SignalboxError(
        "conflict",
        `there is a group, a subscription or a handler ${JSON.stringify(request.name)} already`,
      )
    }
    return c.json(show(made), 201)
  })

  app.get("/:name", mayRead, async (c) => {
    const { tenant } = c.var.principal
    const name = c.req.param("name")
    const { row, state, lags } = await readAs(database, tenant, async (db) => {
      const found = await findGroup(db, tenant, name)
      if (found === undefined) throw noSuchGroup(name)
      return { row: found, state: await groupState(db, found.id), lags: await groupLag(db, [name]) }
    })
    return c.json({
      ...show(row),
      lag: Math.max(0, ...lags.map(({ lag }) => lag)),
      lagSeconds: Math.max(0, ...lags.map(({ lagSeconds }) => lagSeconds)),
      members: state.members.map(({ id, name: memberName, joinedAt }) => ({
        id,
        name: memberName,
        joinedAt: joinedAt.toISOString(),
        partitions: lags.filter(({ member }) => member === id).map(({ partition }) => partition),
      })),
      partitions: lags.map(showPartition),
    })
  })

  app.delete("/:name", mayManage, async (c) => {
    await transaction(work, (db) => deleteGroup(db, c.var.principal.tenant, c.req.param("name")))
    return c.body(null, 204)
  })

  return app
}

/** A group as the API shows it. */
export type ShownGroup = ReturnType<typeof show>

function show({ name, stream, filter, partitions, sessionMs, maxMembers, createdAt }: GroupRow) {
  return {
    name,
    stream,
    filter,
    partitionCount: partitions,
    sessionSeconds: sessionMs / 1000,
    maxMembers,
    createdAt: createdAt.toISOString(),
  }
}

/** A partition of a group as the API shows it. */
export type ShownPartition = ReturnType<typeof showPartition>

function showPartition(one: PartitionLag) {
  const { partition, member, memberName, generation, committed, head, lag, lagSeconds } = one
  const owner = member === null ? null : { id: member, name: memberName }
  return { partition, owner, generation, committed, head, lag, lagSeconds }
}
