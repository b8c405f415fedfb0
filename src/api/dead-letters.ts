import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import { isUuid } from "../core/uuid.ts"
import type { Principal } from "../auth/scopes.ts"
import type { Database } from "../store/database.ts"
import {
  findDeadLetter,
  listDeadLetters,
  retryLettersOf,
  settleDeadLetter,
  type DeadLetter,
} from "../store/dead-letters.ts"
import { findReplayTarget } from "../store/replays.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { instant } from "./instant.ts"
import { managedTenant } from "./managed-tenant.ts"
import { parseBody, parseQuery } from "./parse.ts"

export const query = z.strictObject({
  kind: z.enum(["processing", "handler", "callback", "webhook", "group", "outbox"]).optional(),
  status: z.enum(["open", "retried", "discarded"]).default("open"),
  /** Id or name of the consumer that failed. */
  consumer: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(512).optional(),
})
export const bulkRetry = z.strictObject({
  consumer: z.string().min(1).max(200),
  /** When they became dead letters, `until` excluded. */
  since: instant.optional(),
  until: instant.optional(),
})
const retryPageSize = 1_000
const cursorShape = z.tuple([z.iso.datetime(), z.uuid()])

export interface DeadLetterOptions {
  database: Database
  /** Does the work of a dead letter anew; false where it is not open any more. */
  retry: (letter: DeadLetter) => Promise<boolean>
}

/** `/api/v1/dead-letters`: list, inspect, retry one or all of a consumer, discard. Needs `admin`. */
export function deadLetterRoutes({ database, retry }: DeadLetterOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  app.get("/", async (c) => {
    const { cursor, kind, status, limit, consumer } = parseQuery(c, query)
    const subscriptionId = consumer && (await consumerOf(c.var.principal, consumer))
    const letters = await listDeadLetters(database.work, {
      tenant: c.var.principal.tenant,
      status,
      limit,
      subscriptionId,
      ...(kind === undefined ? {} : { kind }),
      ...(cursor === undefined ? {} : { before: readCursor(cursor) }),
    })
    const last = letters.length === limit ? letters.at(-1) : undefined
    return c.json({
      deadLetters: letters.map(show),
      nextCursor: last === undefined ? null : encodeCursor([last.createdAt.toISOString(), last.id]),
    })
  })

  app.post("/retry", async (c) => {
    const { consumer, since = null, until = null } = await parseBody(c, bulkRetry)
    const { tenant } = c.var.principal
    const letters = { tenant, subscriptionId: await consumerOf(c.var.principal, consumer), since, until }
    let retried = 0
    for (let after: string | null = null; ;) {
      const page: { retried: number; next: string | null } = await retryLettersOf(database.work, letters, {
        after,
        limit: retryPageSize,
      })
      retried += page.retried
      if (page.next === null) break
      after = page.next
    }
    return c.json({ retried }, 202)
  })

  app.get("/:id", async (c) => c.json(show(await find(c.req.param("id"), c.var.principal.tenant))))

  app.post("/:id/retry", async (c) => {
    const letter = await find(c.req.param("id"), c.var.principal.tenant)
    if (!(await retry(letter))) throw notOpen()
    return c.json({ id: letter.id, status: "retried" }, 202)
  })

  app.post("/:id/discard", async (c) => {
    const letter = await find(c.req.param("id"), c.var.principal.tenant)
    if ((await settleDeadLetter(database.work, letter.id, "discarded")) === undefined) throw notOpen()
    return c.json({ id: letter.id, status: "discarded" })
  })

  async function consumerOf(principal: Principal, idOrName: string): Promise<string> {
    const everyTenant = managedTenant(principal) === null
    const found = await findReplayTarget(database.work, principal.tenant, idOrName, everyTenant)
    if (found !== undefined) return found.id
    throw new SignalboxError("not_found", `consumer: there is none of the name ${JSON.stringify(idOrName)}`)
  }

  async function find(id: string, tenant: string): Promise<DeadLetter> {
    const letter = isUuid(id) ? await findDeadLetter(database.work, id) : undefined
    if (letter === undefined || letter.tenant !== tenant) {
      throw new SignalboxError("not_found", "there is no dead letter of this id")
    }
    return letter
  }

  return app
}

function readCursor(cursor: string): { createdAt: Date; id: string } {
  const [createdAt, id] = decodeCursor(cursor, cursorShape)
  return { createdAt: new Date(createdAt), id }
}

function notOpen(): SignalboxError {
  return new SignalboxError("conflict", "this dead letter was settled before")
}

/** A dead letter as the API shows it. */
export type ShownDeadLetter = ReturnType<typeof show>

function show(letter: DeadLetter) {
  return {
    ...letter,
    createdAt: letter.createdAt.toISOString(),
    settledAt: letter.settledAt?.toISOString() ?? null,
  }
}
