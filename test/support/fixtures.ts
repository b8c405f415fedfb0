/**
 * Fixtures: requests as a platform's sender makes them, each with what must come of it.
 *
 * `fixtures/<platform>/<shape>.json` is one delivery, checked strictly (an unknown key fails):
 *
 *     {
 *       "note": "what the shape shows; optional",
 *       "headers": { "x-github-event": "push", … },       lower-case, WITHOUT signature and signed timestamp
 *       "body": { … }                                      sent as JSON; or instead of `body`, one of
 *       "form": { "payload": { … }, "user_id": "U1" }      urlencoded (objects become JSON text)
 *       "text": "…"                                        sent as it stands
 *       "receivedAt": "2026-11-21T12:00:00.000Z",          optional, this is the default; also the signer's clock
 *       "expect": {
 *         "name", "type", "priority", "entity",            all four always (entity may be null)
 *         "key", "state", "actor", "title", "url", "occurredAt",    optional, compared as they stand
 *         "correlationId", "causationId",
 *         "detail": { … },                                 optional, the columns named here
 *         "deployment": { … } | null,                      optional, likewise of its row of deployment_events
 *         "references": [{ entity, relation, subject? }],  optional, ALL of them, in any order
 *         "texts": [{ field, text, format?, subject? }],   optional, ALL of them, in any order
 *         "mentions": [{ entity, relation, text? }],       optional, ALL that the platform's own mentionsIn
 *                                                          finds in its texts, in any order
 *         "acknowledge": { "status", "body" } | null,      optional, what acknowledge() answers
 *         "sameKeyAs": "other-shape"                       only where two shapes ARE one delivery
 *       }
 *     }
 *
 * The kinds of sender that a platform has besides its own form are folders in its folder, each with its
 * own `sign.ts`: `fixtures/deployment/vercel/created.json`.
 *
 * A delivery that is a question and no event has `"expect": { "handshake": { "status", "body" } }` alone.
 *
 * `fixtures/<platform>/sign.ts` exports `signer: Signer | null`, written apart from src/platforms so
 * that the suite checks one against the other; null is for a platform whose sender signs nothing, and
 * whose verify() must then refuse everything.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { z } from "zod"
import { priorities } from "../../src/core/envelope.ts"
import { parsePayload } from "../../src/core/payload.ts"
import type { InboundRequest, Message } from "../../src/core/platform.ts"

const root = fileURLToPath(new URL("../../fixtures/", import.meta.url))

/** How a sender signs. */
export interface Signer {
  /** Two secrets of a valid form, different. */
  secrets: readonly [string, string]
  /** The header that carries the signature, lower-case. */
  signatureHeader: string
  /** Seconds by which a signed time may be off, either way; null where the scheme signs no time. */
  toleranceSeconds: number | null
  /** False for a token that only shows who sends; true if absent. */
  coversBody?: boolean
  /** The headers to add: the signature, and the timestamp or id where they are signed with it. */
  sign(request: SignRequest): Record<string, string>
}

interface SignRequest {
  body: Buffer
  headers: Readonly<Record<string, string>>
  secret: string
  now: Date
}

const reply = z.strictObject({ status: z.number(), body: z.unknown() })

const eventExpectation = z.strictObject({
  name: z.string(),
  type: z.string(),
  priority: z.enum(priorities),
  entity: z.string().nullable(),
  key: z.string().optional(),
  state: z.string().nullable().optional(),
  actor: z.strictObject({ id: z.string(), name: z.string(), bot: z.boolean() }).nullable().optional(),
  title: z.string().nullable().optional(),
  url: z.string().nullable().optional(),
  occurredAt: z.string().optional(),
  correlationId: z.string().optional(),
  causationId: z.string().optional(),
  detail: z.record(z.string(), z.unknown()).nullable().optional(),
  deployment: z.record(z.string(), z.unknown()).nullable().optional(),
  references: z
    .array(z.strictObject({ entity: z.string(), relation: z.string(), subject: z.string().optional() }))
    .optional(),
  texts: z
    .array(
      z.strictObject({
        field: z.string(),
        text: z.string(),
        format: z.enum(["plain", "markdown", "slack", "branch", "url"]).optional(),
        subject: z.string().optional(),
      }),
    )
    .optional(),
  mentions: z
    .array(z.strictObject({ entity: z.string(), relation: z.string(), text: z.string().optional() }))
    .optional(),
  acknowledge: reply.nullable().optional(),
  sameKeyAs: z.string().optional(),
})

const fixtureFile = z
  .strictObject({
    note: z.string().optional(),
    headers: z.record(z.string().regex(/^[a-z0-9-]+$/, "header names are lower-case"), z.string()),
    body: z.unknown().optional(),
    form: z.record(z.string(), z.unknown()).optional(),
    text: z.string().optional(),
    receivedAt: z.iso.datetime({ offset: true }).default("2026-11-21T12:00:00.000Z"),
    expect: z.union([eventExpectation, z.strictObject({ handshake: reply })]),
  })
  .refine((file) => [file.body, file.form, file.text].filter((one) => one !== undefined).length === 1, {
    message: "exactly one of body, form and text",
  })

/** What must come of an event fixture. */
export type EventExpectation = z.infer<typeof eventExpectation>

/** One delivery; `request` is unsigned. */
export interface Fixture {
  platform: string
  /** The file's name without its ending. */
  shape: string
  request: InboundRequest
  contentType: string
  expect: z.infer<typeof fixtureFile>["expect"]
}

/** A delivery that is an event, as opposed to a handshake. */
export interface EventFixture extends Fixture {
  expect: EventExpectation
}

/** Whether the fixture is an event (the others are handshakes). */
export function isEvent(fixture: Fixture): fixture is EventFixture {
  return !("handshake" in fixture.expect)
}

/** Every fixture of a platform, or of one of its kinds of sender, by file name; empty where the folder is missing. */
export function loadFixtures(platform: string, sender?: string): Fixture[] {
  const folder = folderOf(platform, sender)
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"))
  return names.toSorted().map((name) => readFixture(platform, sender, name.slice(0, -".json".length)))
}

function folderOf(platform: string, sender: string | undefined): string {
  return sender === undefined ? `${root}${platform}/` : `${root}${platform}/${sender}/`
}

function readFixture(platform: string, sender: string | undefined, shape: string): Fixture {
  const path = `${folderOf(platform, sender)}${shape}.json`
  const parsed = fixtureFile.safeParse(JSON.parse(readFileSync(path, "utf8")))
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`)
  const file = parsed.data
  const contentType =
    file.headers["content-type"] ??
    (file.form === undefined ? "application/json" : "application/x-www-form-urlencoded")
  return {
    platform,
    shape,
    request: {
      headers: { ...file.headers, "content-type": contentType },
      body: Buffer.from(file.text ?? (file.form === undefined ? JSON.stringify(file.body) : form(file.form))),
      receivedAt: new Date(file.receivedAt),
      ...(sender === undefined ? {} : { sender }),
    },
    contentType,
    expect: file.expect,
  }
}

function form(fields: Record<string, unknown>): string {
  const encoded = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    encoded.append(name, typeof value === "string" ? value : JSON.stringify(value))
  }
  return encoded.toString()
}

/** The signer of a platform, or of one of its kinds of sender; throws where `sign.ts` is missing or exports none. */
export async function loadSigner(platform: string, sender?: string): Promise<Signer | null> {
  const path = `${folderOf(platform, sender)}sign.ts`
  const module: { signer?: Signer | null } = await import(pathToFileURL(path).href)
  if (module.signer === undefined) throw new Error(`${path} exports no signer`)
  return module.signer
}

/** The request with the signer's headers added, ready to be sent. */
export function signRequest(
  request: InboundRequest,
  signer: Signer,
  secret: string = signer.secrets[0],
  now: Date = request.receivedAt,
): InboundRequest {
  const { headers, body } = request
  return { ...request, headers: { ...headers, ...signer.sign({ body, headers, secret, now }) } }
}

/** The message that ingest makes of a request. */
export function messageOf(request: InboundRequest, contentType: string): Message {
  return {
    headers: request.headers,
    contentType,
    payload: parsePayload(request.body, contentType),
    receivedAt: request.receivedAt,
    sender: request.sender,
  }
}

/** The message that the worker makes of the stored row: only what the platform keeps is left. */
export function storedMessageOf(
  request: InboundRequest,
  contentType: string,
  keptHeaders: readonly string[],
): Message {
  const kept = Object.entries(request.headers).filter(([name]) => keptHeaders.includes(name))
  return { ...messageOf(request, contentType), headers: Object.fromEntries(kept) }
}
