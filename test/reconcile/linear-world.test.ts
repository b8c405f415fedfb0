import { expect, test } from "vitest"
import { linear } from "../../src/platforms/linear/index.ts"
import { createLinearWorld, type LinearWorld, type LinearWorldOptions } from "../support/worlds/linear.ts"
import type { LinearDelivery } from "../support/worlds/linear-things.ts"
import { randomOf } from "../support/worlds/random.ts"
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

type Scene = SaasScene<LinearWorld>

const startWorld = (more: Partial<LinearWorldOptions> = {}): Promise<Scene> =>
  startSaasHub(linear, "lin_api_worldkey", (clock) => createLinearWorld({ clock, ...more }))

interface LinearHistory extends History<LinearDelivery> {
  /** Issues of a private team, of which no webhook ever tells. */
  hidden: string[]
}

/** Lets so much happen over the last day, and its webhooks be sent. */
async function live({ hub, world }: Scene, { seed, things, lost }: Plot): Promise<LinearHistory> {
  const { workspace } = world
  const random = randomOf(seed)
  const hidden: string[] = []
  const begin = hub.clock().getTime() - 20 * 60 * minute
  const deliveries: LinearDelivery[] = []
  for (let at = begin; deliveries.length < things; at += 67_013) {
    deliveries.push(workspace.happen(new Date(at)))
    if (random() < 0.02) hidden.push(workspace.happenInPrivate(new Date(at + 1)))
  }
  // What was changed again since, the API does not tell: see the test of what it cannot.
  const mayBeLost = (delivery: LinearDelivery) => workspace.isTold(delivery)
  const history = await sendWithLosses(hub, deliveries, { lost, mayBeLost, random, sendingOf })
  return { ...history, hidden }
}

function sendingOf({ key, type, body }: LinearDelivery): Sending {
  return { headers: { "linear-delivery": key, "linear-event": type }, body }
}

/** What tells one thing that happened from another, whichever way it is told. */
function happeningOf(body: unknown): string {
  const { action, type, createdAt, data } = body as {
    action: string
    type: string
    createdAt: string
    data: { id: string; updatedAt: string }
  }
  return `${type}:${data.id} ${action} ${action === "update" ? data.updatedAt : createdAt}`
}

async function expectWhole(scene: Scene, history: LinearHistory): Promise<void> {
  const events = await expectAllOnce(scene, history, happeningOf)
  for (const id of history.hidden) expect(JSON.stringify(events)).not.toContain(id)
}

/** Each webhook that got no answer is sent again, as Linear does: after a minute, an hour and six hours. */
async function expectRetriesKnown({ hub }: Scene, { deliveries, lost }: LinearHistory): Promise<void> {
  for (const wait of [1, 59, 301]) {
    hub.pass(wait * minute)
    const answers = await Promise.all(lost.slice(0, 40).map((one) => hub.send(sendingOf(one))))
    expect(new Set(answers)).toEqual(new Set([200]))
  }
  // The header is not signed: whoever replays a body may give it any other name.
  for (const one of deliveries.slice(0, 40)) {
    const { headers, body } = sendingOf({ ...one, key: `replayed-${one.key}` })
    expect(await hub.send({ headers, body })).toBe(200)
  }
  expect(await hub.events()).toHaveLength(deliveries.length)
}

test("of 1,000 deliveries 137 are lost in three ways, and after reconciling all 1,000 are here once", async () => {
  const limits = { requests: 30, complexity: 60_000, windowMs: 60 * minute }
  const it = await startWorld({ limits, failEvery: 11 })
  const history = await live(it, { seed: 1, things: 1_000, lost: 137 })
  expect(await it.hub.events()).toHaveLength(863)

  const outcomes = await it.hub.reconcileToEnd()
  expect(outcomes.filter(({ status }) => status === "paused").length).toBeGreaterThan(2)
  await expectWhole(it, history)
  await expectRetriesKnown(it, history)
}, 120_000)

test.each([2, 3])(
  "a reconciler that is killed again and again, wherever it is, brings in the same (seed %i)",
  async (seed) => {
    const it = await startWorld({ seed, limits: { requests: 40, complexity: 60_000, windowMs: 10 * minute } })
    const history = await live(it, { seed, things: 120, lost: 17 })
    const random = randomOf(seed)
    await reconcileKilled(it.hub, random, () => 1 + Math.floor(random() * 5))
    await expectWhole(it, history)
    await expectRetriesKnown(it, history)
  },
  120_000,
)

test("a run that is told to stop at any request is gone on with by the next", async () => {
  const it = await startWorld({ seed: 5 })
  const history = await live(it, { seed: 5, things: 150, lost: 20 })
  await reconcileStopped(it, 2)
  await expectWhole(it, history)
})

test("two reconcilers at the same time bring in nothing twice", async () => {
  const it = await startWorld({ seed: 6 })
  const history = await live(it, { seed: 6, things: 100, lost: 15 })
  const both = await Promise.all([it.hub.reconcile(), it.hub.reconcile()])
  expect(both.map(({ status }) => status).toSorted()).toEqual(["busy", "complete"])
  await expectWhole(it, history)
})

test("what is changed while it is swept is found, and a creation although the thing was changed since", async () => {
  const it = await startWorld({ seed: 7 })
  const { workspace } = it.world
  const history = await live(it, { seed: 7, things: 150, lost: 0 })
  const unsent: LinearDelivery[] = []
  const at = (): Date => new Date(it.hub.clock().getTime() - 5 * minute + unsent.length * 1_000)
  const made = Array.from({ length: 60 }, () => {
    const delivery = workspace.create("Issue", at())
    unsent.push(delivery)
    return delivery
  })
  // At each request an issue of the page that comes moves to the front of the order.
  const changed: LinearDelivery[] = []
  it.world.onCall = () => {
    const moved = made.pop()
    if (moved !== undefined)
      changed.push(workspace.change("Issue", moved.id, new Date(it.hub.clock().getTime() + 1)))
  }
  await it.hub.reconcileToEnd()
  it.world.onCall = () => {}
  expect(changed.length).toBeGreaterThan(10)
  it.hub.pass(minute)
  await it.hub.reconcileToEnd()
  await expectWhole(it, {
    ...history,
    deliveries: [...history.deliveries, ...unsent, ...changed],
    lost: [...unsent, ...changed],
  })
})
