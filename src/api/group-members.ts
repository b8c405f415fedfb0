import type { HttpBindings } from "@hono/node-server"
import { Hono, type Context } from "hono"
import { z } from "zod"
import { checkEvents } from "../auth/allowances.ts"
import type { Authenticate } from "../auth/authenticate.ts"
import type { AuthEnv } from "../auth/middleware.ts"
import type { Allowance } from "../core/allowance.ts"
import { comeBackMs } from "../core/come-back.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { Groups, MemberName } from "../groups/create-groups.ts"
import type { Fetched } from "../groups/fetch-events.ts"
import { followEvents } from "../groups/follow-events.ts"
import type { Attachment } from "../groups/presence.ts"
import type { Place } from "../store/group-members.ts"
import { parseBody, parseQuery } from "./parse.ts"
import { problemOf } from "./problem.ts"
import { createUntaken, writePaced } from "./untaken.ts"

type Env = AuthEnv & { Bindings: HttpBindings }

const name = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "must be well-formed text without NUL")
export const join = z.strictObject({ name: name.default("member") })
const seconds = z.coerce.number().min(0).max(60)
const partition = z.int().min(0).max(255)
const count = z.int().min(0)
const place = z.strictObject({ partition, generation: count, position: count })
export const commit = z
  .strictObject({
    positions: z.array(place).max(256).default([]),
    release: z
      .array(z.strictObject({ partition, generation: count }))
      .max(256)
      .default([]),
  })
  .refine(
    ({ positions, release }) => isOfOnePartitionEach(positions) && isOfOnePartitionEach(release),
    "names a partition twice",
  )
export const heartbeat = z.strictObject({ wait: seconds.default(0), known: z.string().max(4096).optional() })
export const fetching = z.strictObject({
  wait: seconds.default(20),
  max: z.coerce.number().int().min(1).max(1_000).default(100),
  bytes: z.coerce
    .number()
    .int()
    .min(1024)
    .max(8 << 20)
    .default(1 << 20),
  after: z
    .string()
    .regex(
      /^$|^\d{1,3}:\d{1,15}:\d{1,15}(,\d{1,3}:\d{1,15}:\d{1,15}){0,255}$/,
      "is partition:generation:position, …",
    )
    .optional(),
  without: z
    .string()
    .regex(/^\d{1,3}(,\d{1,3}){0,255}$/, "names partitions: 0,3, …")
    .optional(),
  gaps: z.enum(["tell"]).optional(),
})

/** What members may leave unread. */
export interface MemberLimits {
  /** How long a stream may take nothing of what is written to it (15 s). */
  stallMs?: number
  /** How long the answer to a fetch may take (120 s, as our own client allows it). */
  takeMs?: number
  /** Bytes of such answers on their way, of all keys (128 MiB). */
  heldBytes?: number
}

/** `/api/v1/consumer-groups/:name/members`: programs join, are handed the events of their partitions, and commit. */
export function groupMemberRoutes(
  groups: Groups,
  authenticate: Authenticate,
  log: Log,
  { stallMs = 15_000, takeMs = 120_000, heldBytes = 128 << 20 }: MemberLimits = {},
): Hono<Env> {
  const app = new Hono<Env>()
  const untaken = createUntaken({ takeMs, heldBytes })
  const path = "/:name/members/:member"

  app.post("/:name/members", async (c) => {
    const wanted = await parseBody(c, join, {})
    const { member, sessionMs, partitions } = await groups.join(
      c.var.principal.tenant,
      c.req.param("name"),
      wanted.name,
    )
    return c.json({ member, sessionSeconds: sessionMs / 1000, partitionCount: partitions }, 201)
  })

  app.delete(path, async (c) => {
    await groups.leave(memberOf(c))
    return c.body(null, 204)
  })

  app.post(`${path}/heartbeat`, async (c) => {
    const { wait, known } = parseQuery(c, heartbeat)
    return c.json(await groups.heartbeat(memberOf(c), { waitMs: wait * 1000, known, gone: goneOf(c) }))
  })

  app.get(`${path}/events`, async (c) => {
    const { wait, max, bytes, after, without, gaps } = parseQuery(c, fetching)
    checkEvents(c.var.allowance)
    const fetched = await groups.fetch(memberOf(c), {
      waitMs: wait * 1000,
      waits: wait > 0,
      gone: goneOf(c),
      after: after === undefined ? undefined : placesIn(after),
      without: without?.split(",").map(Number),
      maxEvents: max,
      maxBytes: bytes,
      tellsGaps: gaps === "tell",
    })
    // What was logged while it waited is not for a key that was revoked meanwhile.
    if (wait > 0) await authenticate(c.req.raw.headers)
    const answer = render(fetched)
    untaken.hold(c.var.principal.keyId, answer.length, c.env.outgoing)
    c.var.allowance.events?.spend(fetched.events.length)
    return c.body(answer, 200, { "content-type": "application/json", "cache-control": "no-store" })
  })

  app.post(`${path}/commit`, async (c) => {
    const { positions, release } = await parseBody(c, commit)
    await groups.commit(
      memberOf(c),
      positions,
      release.map((one) => ({ ...one, position: 0 })),
    )
    return c.json({ committed: positions })
  })

  app.get(`${path}/sse`, async (c) => {
    const member = memberOf(c)
    const gone = goneOf(c)
    await groups.heartbeat(member, { waitMs: 0, gone }) // what is wrong is told by a status
    const { outgoing } = c.env
    for (const [header, value] of c.body(null).headers) outgoing.appendHeader(header, value)
    outgoing.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    })
    const { headers } = c.req.raw
    const allowed = () => authenticate(headers).catch(rethrowRefusal)
    const allowance = c.var.allowance.events
    void writeEvents({ groups, member, gone, allowed, allowance, stallMs }, outgoing, log)
    const sent = new Response(null, { headers: { "x-hono-already-sent": "true" } })
    void sent.body // what is made of a response that was never looked into is written without its headers
    return sent
  })

  return app
}

interface Following {
  groups: Groups
  member: MemberName
  gone: AbortSignal
  /** Throws once the key is in force no more. */
  allowed: () => Promise<unknown>
  allowance: Allowance | null
  stallMs: number
}

/** Writes no faster than the client reads; a last frame `error` tells why the stream ends. */
async function writeEvents(
  { groups, member, gone, allowed, allowance, stallMs }: Following,
  outgoing: HttpBindings["outgoing"],
  log: Log,
): Promise<void> {
  outgoing.on("error", () => {}) // told by "close" as well
  let stay: Attachment | undefined
  try {
    stay = groups.stay(member)
    for await (const frames of followEvents(groups, member, gone, allowance)) {
      await allowed()
      if (!(await writePaced(outgoing, frames, { gone, stallMs }))) break
    }
  } catch (error) {
    if (!(error instanceof SignalboxError)) log.error({ err: error }, "a group's stream failed")
    const known = error instanceof SignalboxError ? error : new SignalboxError("unavailable", "come back")
    if (!gone.aborted) outgoing.write(lastFrame(known))
  } finally {
    stay?.end(gone.aborted)
    outgoing.end()
  }
}

/** Why a stream ends. Who is to come back is told when: at once, a whole group would. */
function lastFrame(error: SignalboxError): string {
  const retry = error.code === "unavailable" ? `retry: ${comeBackMs()}\n` : ""
  return `event: error\n${retry}data: ${JSON.stringify(problemOf(error))}\n\n`
}

/** A database that does not answer says nothing against a key. */
function rethrowRefusal(error: unknown): void {
  if (error instanceof SignalboxError && error.status === 401) throw error
}

function memberOf(c: Context<Env>): MemberName {
  const { name: group = "", member = "" } = c.req.param()
  return { tenant: c.var.principal.tenant, group, member }
}

/** Aborted once the connection has closed without the answer. */
function goneOf(c: Context<Env>): AbortSignal {
  const { outgoing } = c.env
  const gone = new AbortController()
  if (outgoing.destroyed) gone.abort()
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort()
  })
  return gone.signal
}

function placesIn(text: string): Place[] {
  return text
    .split(",")
    .filter((one) => one !== "")
    .map((one) => {
      const [of = 0, generation = 0, position = 0] = one.split(":").map(Number)
      return { partition: of, generation, position }
    })
}

function isOfOnePartitionEach(places: readonly { partition: number }[]): boolean {
  return new Set(places.map((one) => one.partition)).size === places.length
}

/** The events are rendered once for everybody who gets them. */
function render({ version, events, gaps, positions, revoking }: Fetched): Buffer<ArrayBuffer> {
  const pieces: Buffer[] = [Buffer.from('{"events":[')]
  for (const [index, { partition: of, entry }] of events.entries()) {
    pieces.push(Buffer.from(`${index === 0 ? "" : ","}{"partition":${of},"event":`), entry.json(), closing)
  }
  const rest = JSON.stringify({ positions, revoking, gaps, version })
  return Buffer.concat([...pieces, Buffer.from(`],${rest.slice(1)}`)])
}

const closing = Buffer.from("}")
