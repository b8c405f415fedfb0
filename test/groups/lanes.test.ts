import { expect, test } from "vitest"
import { createLanes, type LanesOptions } from "../../src/client/group/lanes.ts"
import type { GroupEvent } from "../../src/client/group/options.ts"

const held = { partition: 0, generation: 1, position: 0 }
const nothing = { version: "2", assignments: [], revoking: [] }

const eventAt = (position: number): GroupEvent => ({
  id: `event ${position}`,
  position,
  tenant: "default",
  platform: "github",
  source: "default",
  type: "github.push.pushed",
  name: "push",
  deliveryId: `delivery ${position}`,
  actor: null,
  entity: "github:branch:acme/api@main",
  references: [],
  title: "One",
  url: null,
  priority: "high",
  occurredAt: null,
  receivedAt: "2026-11-20T10:00:00.123Z",
  correlationId: "c",
  causationId: null,
  backfilled: false,
  payload: {},
})

/** Lanes with partition 0, in which a replayed event is handled until `endReplay`, and two new ones wait behind it. */
async function waitingBehindReplay(good: LanesOptions["good"] = async () => {}) {
  const handled: number[] = []
  const lanes = createLanes({
    handle: ({ position }) => void handled.push(position),
    good,
    onProgress: () => {},
    onStop: (error) => expect.unreachable(String(error)),
  })
  lanes.take({ events: [], positions: [held], gaps: [] })
  const { promise: replay, resolve: endReplay } = Promise.withResolvers<void>()
  const { promise: isBegun, resolve: begin } = Promise.withResolvers<void>()
  const replayed = lanes.inTurn(0, async () => {
    begin()
    await replay
  })
  lanes.assign({ version: "1", assignments: [held], revoking: [] }, performance.now())
  await isBegun
  const events = [1, 2].map((position) => ({ partition: 0, event: eventAt(position) }))
  lanes.take({ events, positions: [{ ...held, position: 2 }], gaps: [] })
  await settle()
  expect(handled).toEqual([])
  return { lanes, handled, endReplay, replayed }
}

/** Lets all that can run without waiting for anything do so. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

test("what waited behind a replayed event is handled once that is done", async () => {
  const { handled, endReplay, lanes } = await waitingBehindReplay()
  endReplay()
  await settle()
  expect(handled).toEqual([1, 2])
  expect(lanes.due().positions).toEqual([{ ...held, position: 2 }])
})

test("what waited behind a replayed event is not handled where its partition has gone to another meanwhile", async () => {
  const { handled, endReplay, lanes, replayed } = await waitingBehindReplay()
  lanes.assign(nothing, performance.now() + 1)
  endReplay()
  expect(await replayed).toBe(false)
  await settle()
  expect(handled).toEqual([])
  expect(lanes.due()).toEqual({ positions: [], release: [] })
})

test("a membership that may have lapsed meanwhile is looked at before the event whose turn it is", async () => {
  let isLapsed = false
  const { handled, endReplay, lanes } = await waitingBehindReplay(async () => {
    if (isLapsed) lanes.assign(nothing, performance.now() + 1)
  })
  isLapsed = true
  endReplay()
  await settle()
  expect(handled).toEqual([])
})

test("a partition that is to be given back is, without the events that waited behind a replayed one", async () => {
  const { handled, endReplay, lanes } = await waitingBehindReplay()
  lanes.assign({ version: "2", assignments: [held], revoking: [0] }, performance.now())
  endReplay()
  await settle()
  expect(handled).toEqual([])
  expect(lanes.due()).toEqual({ positions: [], release: [held] })
})

test("a member that finishes begins nothing that waited behind a replayed event", async () => {
  const { handled, endReplay, lanes } = await waitingBehindReplay()
  const finished = lanes.finish()
  endReplay()
  await finished
  await settle()
  expect(handled).toEqual([])
  expect(lanes.due().positions).toEqual([])
})

test("a membership that may have lapsed is looked at before each further attempt too", async () => {
  let attempts = 0
  const lanes = createLanes({
    handle() {
      attempts++
      throw new Error("not yet")
    },
    async good() {
      if (attempts > 0) lanes.assign(nothing, performance.now() + 1)
    },
    onProgress: () => {},
    onStop: (error) => expect.unreachable(String(error)),
  })
  const events = [{ partition: 0, event: eventAt(1) }]
  lanes.take({ events, positions: [{ ...held, position: 1 }], gaps: [] })
  // Its turn comes when no further attempt does.
  expect(await lanes.inTurn(0, async () => {})).toBe(false)
  expect(attempts).toBe(1)
})
