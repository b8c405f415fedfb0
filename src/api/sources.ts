import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Issued, SecretView, SourceAdmin, SourceRef, SourceView } from "../core/source-admin.ts"
import { readAs, type Database } from "../store/database.ts"
import { listReceipts, receiptOutcomes, type ReceiptRow } from "../store/list-receipts.ts"
import { decodeCursor, encodeCursor } from "./cursor.ts"
import { managedTenant, mayManage } from "./managed-tenant.ts"
import { parseBody, parseQuery } from "./parse.ts"

const text = z
  .string()
  .min(1)
  .max(4096)
  // PostgreSQL keeps neither in a text.
  .refine((value) => !value.includes("\0") && value.isWellFormed(), "must hold no NUL and no lone surrogate")
const short = text.max(200)
const settings = z.record(short, z.json())

export const newSource = z.strictObject({
  platform: short,
  name: short,
  tenant: short.optional(),
  sender: short.nullish(),
  settings: settings.optional(),
  /** Generated if absent, where the sender lets us choose; null for none yet. */
  secret: text.nullish(),
  credential: text.optional(),
})

export const edit = z
  .strictObject({
    enabled: z.boolean().optional(),
    sender: short.nullable().optional(),
    settings: settings.optional(),
    credential: text.nullable().optional(),
  })
  .refine(
    (change) => Object.keys(change).length > 0,
    "say what to change: enabled, sender, settings, credential",
  )

const day = 86_400
export const rotation = z.strictObject({
  secret: text.optional(),
  /** Seconds for which the secrets before it stay in force. */
  overlapSeconds: z
    .int()
    .min(0)
    .max(30 * day)
    .default(day),
})

export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(512).optional(),
})
const cursorShape = z.tuple([z.string(), z.string()])

export const receiptPage = z.strictObject({
  outcome: z.enum(receiptOutcomes).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.uuid().optional(),
})

/** For answers that may hold a secret. */
const notKept = { "cache-control": "no-store" }

export interface SourceRouteOptions {
  database: Database
  sources: SourceAdmin
}

/** `/api/v1/sources`: make, list and change sources, and see what came to them. Needs `admin`. */
export function sourceRoutes({ database, sources }: SourceRouteOptions): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  app.get("/", async (c) => {
    const { limit, cursor } = parseQuery(c, page)
    const [platform, name] = cursor === undefined ? [] : decodeCursor(cursor, cursorShape)
    const after = platform === undefined || name === undefined ? null : { platform, name }
    const found = await sources.list(managedTenant(c.var.principal), { limit, after })
    const last = found.length === limit ? found.at(-1) : undefined
    return c.json({
      sources: found.map(show),
      nextCursor: last === undefined ? null : encodeCursor([last.platform, last.name]),
    })
  })

  app.post("/", async (c) => {
    const { tenant = c.var.principal.tenant, ...source } = await parseBody(c, newSource)
    if (!mayManage(c.var.principal, tenant)) {
      throw new SignalboxError("forbidden", "only SIGNALBOX_ADMIN_KEY makes sources for another tenant")
    }
    return c.json(showIssued(await sources.create({ tenant, ...source })), 201, notKept)
  })

  app.get("/:platform/:name", async (c) => c.json(show(await sources.find(refOf(c)))))

  app.patch("/:platform/:name", async (c) => {
    return c.json(show(await sources.edit(refOf(c), await parseBody(c, edit))))
  })

  app.post("/:platform/:name/rotate", async (c) => {
    return c.json(showIssued(await sources.rotate(refOf(c), await parseBody(c, rotation, {}))), 200, notKept)
  })

  app.get("/:platform/:name/secrets", async (c) => {
    return c.json({ secrets: (await sources.secrets(refOf(c))).map(showSecret), nextCursor: null })
  })

  app.get("/:platform/:name/receipts", async (c) => {
    const { outcome, since, limit, cursor } = parseQuery(c, receiptPage)
    const { tenant, platform, name } = await sources.find(refOf(c))
    const receipts = await readAs(database, tenant, (db) =>
      listReceipts(db, {
        platform,
        source: name,
        outcome,
        since: since === undefined ? undefined : new Date(since),
        before: cursor,
        limit,
      }),
    )
    const last = receipts.length === limit ? receipts.at(-1) : undefined
    return c.json({ receipts: receipts.map(showReceipt), nextCursor: last?.id ?? null })
  })

  return app
}

function refOf(c: {
  req: { param(name: "platform" | "name"): string }
  var: AuthEnv["Variables"]
}): SourceRef {
  return {
    tenant: managedTenant(c.var.principal),
    platform: c.req.param("platform"),
    name: c.req.param("name"),
  }
}

/** A source as the API shows it. */
export type ShownSource = ReturnType<typeof show>

function show(source: SourceView) {
  return {
    ...source,
    createdAt: source.createdAt.toISOString(),
    updatedAt: source.updatedAt.toISOString(),
    secrets: source.secrets.map(showSecret),
    credential: source.credential === null ? null : showSecret(source.credential),
  }
}

/** The one answer that holds a secret, and only one that was generated. */
function showIssued({ source, secret, advice }: Issued) {
  return { ...show(source), ...(secret === null ? {} : { secret }), ...(advice === null ? {} : { advice }) }
}

/** A secret as the API shows it. */
export type ShownSecret = ReturnType<typeof showSecret>

function showSecret({ id, purpose, createdAt, expiresAt, matchedAt }: SecretView) {
  return {
    id,
    purpose,
    createdAt: createdAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
    matchedAt: matchedAt?.toISOString() ?? null,
  }
}

/** A receipt as the API shows it. */
export type ShownReceipt = ReturnType<typeof showReceipt>

function showReceipt(receipt: ReceiptRow) {
  return { ...receipt, receivedAt: receipt.receivedAt.toISOString() }
}
