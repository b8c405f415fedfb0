import { expect, test } from "vitest"
import { slack } from "../../src/platforms/slack/index.ts"
import { randomOf } from "../support/worlds/random.ts"
import { createSlackWorld, type SlackWorld, type SlackWorldOptions } from "../support/worlds/slack.ts"
import type { SlackDelivery } from "../support/worlds/slack-things.ts"
import { startSaasHub, type SaasScene, type Sending } from "./support/hub-of-saas.ts"
import {
  expectAllOnce,
  minute,
  reconcileKilled,
  reconcileStopped,
  sendWithLosses,
  type History,
  type Plot,
} from "./support/saas-story.ts"

type Scene = SaasScene<SlackWorld>

const startWorld = (more: Partial<SlackWorldOptions> = {}): Promise<Scene> =>
  startSaasHub(slack, "xoxb-world-token", (clock) => createSlackWorld({ clock, ...more }))

/** Lets so much happen over the last day, and its events be sent. */
async function live({ hub, world }: Scene, { seed, things, lost }: Plot): Promise<History<SlackDelivery>> {
  const { workspace } = world
  const deliveries: SlackDelivery[] = []
  for (let at = hub.clock().getTime() - 20 * 60 * minute; deliveries.length < things; at += 61_007) {
    const happened = workspace.happen(new Date(at))
    if (deliveries.length + happened.length <= things) deliveries.push(...happened)
    else deliveries.push(...workspace.say("C0GENERAL", new Date(at + 1)))
  }
  // What was deleted, or edited once more, the history does not tell: see the documentation.
  const mayBeLost = (delivery: SlackDelivery) => workspace.isTold(delivery)
  return sendWithLosses(hub, deliveries, { lost, mayBeLost, random: randomOf(seed), sendingOf })
}

function sendingOf({ body }: SlackDelivery): Sending {
  return { headers: {}, body }
}

interface Event {
  type: string
  subtype?: string
  channel?: string
  ts: string
  deleted_ts?: string
  message?: { ts: string; edited?: { ts: string } }
  item?: { ts: string }
}

/** What tells one thing that happened from another, whichever way it is told. */
function happeningOf(body: unknown): string {
  const { event } = body as { event: Event }
  const subject = event.message?.ts ?? event.deleted_ts ?? event.item?.ts ?? event.ts
  const edited = event.message?.edited?.ts ?? ""
  return `${event.type} ${event.subtype ?? "said"} ${event.channel ?? ""} ${subject} ${edited}`
}

test("of 1,000 deliveries 137 are lost in three ways, and after reconciling all 1,000 are here once", async () => {
  const it = await startWorld({ perMinute: 12, pageSize: 50, failEvery: 23 })
  const history = await live(it, { seed: 1, things: 1_000, lost: 137 })
  expect(history.deliveries).toHaveLength(1_000)
  expect(await it.hub.events()).toHaveLength(863)

  const outcomes = await it.hub.reconcileToEnd()
  expect(it.world.limited).toBeGreaterThan(2)
  expect(outcomes.filter(({ status }) => status === "paused").length).toBeGreaterThanOrEqual(it.world.limited)
  await expectAllOnce(it, history, happeningOf)
  await expectRetriesKnown(it, history)
}, 120_000)

/** Each event that got no answer is sent again, as Slack does, and as whoever holds it up in between may. */
async function expectRetriesKnown(
  { hub }: Scene,
  { deliveries, lost }: History<SlackDelivery>,
): Promise<void> {
  for (const [retry, wait] of [0, 1, 5, 300].entries()) {
    hub.pass(wait * minute)
    const headers = { "x-slack-retry-num": String(retry + 1), "x-slack-retry-reason": "http_error" }
    const late = lost.slice(0, 40).map(({ body }) => hub.send({ headers, body }))
    expect(new Set(await Promise.all(late))).toEqual(new Set([202]))
  }
  expect(await hub.events()).toHaveLength(deliveries.length)
}

test.each([2, 3])(
  "a reconciler that is killed again and again, wherever it is, brings in the same (seed %i)",
  async (seed) => {
    const it = await startWorld({ seed, perMinute: 20, pageSize: 15 })
    const history = await live(it, { seed, things: 150, lost: 21 })
    const random = randomOf(seed)
    await reconcileKilled(it.hub, random, () => 3 + Math.floor(random() * 9))
    await expectAllOnce(it, history, happeningOf)
    await expectRetriesKnown(it, history)
  },
  120_000,
)

test("a run that is told to stop at any request is gone on with by the next", async () => {
  const it = await startWorld({ seed: 5, pageSize: 15, perMinute: 1_000 })
  const history = await live(it, { seed: 5, things: 150, lost: 20 })
  await reconcileStopped(it, 3)
  await expectAllOnce(it, history, happeningOf)
})

test("a sweep that rests for longer than Slack's cursors last comes to its end", async () => {
  const it = await startWorld({ seed: 6, perMinute: 6, pageSize: 15, cursorMs: 1_000 })
  const history = await live(it, { seed: 6, things: 150, lost: 30 })
  await it.hub.reconcileToEnd()
  expect(it.world.limited).toBeGreaterThan(2)
  await expectAllOnce(it, history, happeningOf)
}, 60_000)
