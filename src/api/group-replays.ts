import { Hono, type Context } from "hono"
import { z } from "zod"
import { checkEvents } from "../auth/allowances.ts"
import type { AuthEnv } from "../auth/middleware.ts"
import { maskText } from "../core/mask.ts"
import { renderEvent } from "../core/render.ts"
import { cleanText } from "../core/text.ts"
import type { Groups, MemberName } from "../groups/create-groups.ts"
import { findGroup, noSuchGroup } from "../store/consumer-groups.ts"
import { transaction, type Database } from "../store/database.ts"
import { buryForGroup, failForGroup, settleForGroup, takeForMember } from "../store/group-replays.ts"
import { readLoggedEvents } from "../store/log-scan.ts"
import { parseBody } from "./parse.ts"

export const taking = z.strictObject({
  max: z.int().min(1).max(1_000).default(100),
  bytes: z
    .int()
    .min(1024)
    .max(8 << 20)
    .default(1 << 20),
  /** For so long they are the member's; what is not settled then is due again. */
  seconds: z.int().min(1).max(3_600).default(60),
})

export const settling = z.strictObject({
  done: z.array(z.uuid()).max(1_000).default([]),
  failed: z
    .array(z.strictObject({ eventId: z.uuid(), error: z.string().max(10_000) }))
    .max(1_000)
    .default([]),
})

/** `/api/v1/consumer-groups/:name/members/:member/replayed`: what replays hand to a group, beside its cursors. */
export function groupReplayRoutes({ work }: Database, groups: Pick<Groups, "heartbeat">): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()
  const path = "/:name/members/:member/replayed"

  /** The group's id, after a sign of life of the member; throws where either is not there. */
  async function groupOf(name: MemberName): Promise<string> {
    await groups.heartbeat(name, { waitMs: 0, gone: new AbortController().signal })
    const group = await findGroup(work, name.tenant, name.group)
    if (group === undefined) throw noSuchGroup(name.group)
    return group.id
  }

  app.post(path, async (c) => {
    const { max: limit, bytes: maxBytes, seconds } = await parseBody(c, taking, {})
    checkEvents(c.var.allowance)
    const name = memberOf(c)
    const group = await groupOf(name)
    const taken = await transaction(work, (db) =>
      takeForMember(db, { group, member: name.member }, { limit, maxBytes, seconds }),
    )
    const found = await readLoggedEvents(
      work,
      taken.map(({ eventId }) => eventId),
    )
    const events = new Map(found.map((event) => [event.id, event]))
    const gone = taken.flatMap(({ eventId }) => (events.has(eventId) ? [] : [eventId]))
    if (gone.length > 0) await buryForGroup(work, group, gone, "the event is no longer in the log")
    c.var.allowance.events?.spend(found.length)
    // A payload goes out as it was written, so each event is text already.
    const shown = taken.flatMap(({ eventId, partition, replayId, attempts }) => {
      const event = events.get(eventId)
      if (event === undefined) return []
      const head = JSON.stringify({ partition, replayId, attempt: attempts }).slice(0, -1)
      return [`${head},"event":${renderEvent(event, '"replay":true')}}`]
    })
    return c.body(`{"events":[${shown.join(",")}]}`, 200, {
      "content-type": "application/json",
      "cache-control": "no-store",
    })
  })

  app.post(`${path}/settle`, async (c) => {
    const { done, failed } = await parseBody(c, settling)
    const group = await groupOf(memberOf(c))
    const settled = await settleForGroup(work, group, done)
    for (const { eventId, error } of failed) {
      await failForGroup(work, group, eventId, cleanText(maskText(error), 2_000))
    }
    return c.json({ settled })
  })

  return app
}

function memberOf(c: Context<AuthEnv>): MemberName {
  const { name: group = "", member = "" } = c.req.param()
  return { tenant: c.var.principal.tenant, group, member }
}
