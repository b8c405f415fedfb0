import { expect } from "vitest"
import {
  losses,
  type Fate,
  type SaasEvent,
  type SaasHub,
  type SaasScene,
  type Sending,
} from "./hub-of-saas.ts"

export const minute = 60_000

/** How much is to happen, from which seed, and how many of its webhooks are to be lost. */
export interface Plot {
  seed: number
  things: number
  lost: number
}

/** What happened, by its webhooks, and those of them that were lost. */
export interface History<Delivery> {
  deliveries: Delivery[]
  lost: Delivery[]
}

/** Sends all that happened, but for so many of those that may be lost: they are, in three ways. */
export async function sendWithLosses<Delivery>(
  hub: SaasHub,
  deliveries: Delivery[],
  given: {
    lost: number
    mayBeLost: (delivery: Delivery) => boolean
    random: () => number
    sendingOf: (delivery: Delivery) => Sending
  },
): Promise<History<Delivery>> {
  const lost = deliveries
    .filter(given.mayBeLost)
    .map((delivery) => ({ delivery, order: given.random() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, given.lost)
    .map(({ delivery }) => delivery)
  const fates = new Map<Delivery, Fate>(lost.map((one, index) => [one, losses[index % 3]!]))
  for (let at = 0; at < deliveries.length; at += 20) {
    const batch = deliveries.slice(at, at + 20)
    await Promise.all(batch.map((one) => hub.send(given.sendingOf(one), fates.get(one) ?? "arrives")))
  }
  return { deliveries, lost }
}

/**
 * All that happened is here once, what was lost of it by reconciling; answers the events. `happeningOf`
 * tells one thing that happened from another by a body, whichever way it is told.
 */
export async function expectAllOnce(
  { hub, world }: SaasScene,
  { deliveries, lost }: History<{ body: string }>,
  happeningOf: (body: unknown) => string,
): Promise<SaasEvent[]> {
  const events = await hub.events()
  const happened = deliveries.map(({ body }) => happeningOf(JSON.parse(body)))
  expect(events.map(({ body }) => happeningOf(body)).toSorted()).toEqual(happened.toSorted())
  expect(events.filter(({ backfilled }) => backfilled)).toHaveLength(lost.length)
  expect(await hub.ledger()).toEqual({
    repaired: lost.length,
    open: 0,
    lost: 0,
    problem: null,
    complete: true,
  })
  expect(world.violations).toEqual([])
  return events
}

/** Reconciles in processes until one completes; the first three are killed, each a moment after so many requests. */
export async function reconcileKilled(
  hub: SaasHub,
  random: () => number,
  requests: () => number,
): Promise<void> {
  let kills = 0
  for (let round = 0; round < 40; round++) {
    const outcome = await hub.reconcileInChild(kills < 3 ? requests() : null, random() * 40)
    if (outcome === null) kills++
    if (outcome?.status === "complete") break
  }
  expect(kills).toBeGreaterThan(1)
}

/** Reconciles in runs that are told to stop, each `step` requests later than the one before, until one completes. */
export async function reconcileStopped({ hub, world }: SaasScene, step: number): Promise<void> {
  for (let at = 1; ; at += step) {
    const stop = new AbortController()
    const before = world.calls.length
    world.onCall = (count) => (count - before >= at ? stop.abort() : undefined)
    const { status } = await hub.reconcile(stop.signal)
    if (status === "complete") break
    expect(status).toBe("stopped")
  }
  world.onCall = () => {}
}
