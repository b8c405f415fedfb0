import { expect, test } from "vitest"
import { openLane, type LaneOptions } from "../../src/queue/lane.ts"

type Boss = LaneOptions["boss"]

const id = "00000000-0000-7000-8000-000000000000"

/** A lane whose database answers as told; pg-boss itself runs in queue.test.ts. */
function laneOver(answers: { fetch: () => Promise<unknown[]>; fail?: () => Promise<never> }, slots = 1) {
  const errors: unknown[] = []
  const failed: unknown[] = []
  const boss = {
    fetch: answers.fetch,
    touch: () => Promise.resolve({ affected: 1 }),
    fail: (...args: unknown[]) => {
      failed.push(args)
      return answers.fail?.() ?? Promise.resolve({})
    },
  } as unknown as Boss
  const lane = openLane({
    boss,
    priority: "normal",
    slots,
    spacingMs: 0,
    handler: ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    onError: (error) => errors.push(error),
  })
  return { lane, errors, failed }
}

const job = { id, retryCount: 0, data: { eventIds: [id] } }

test("a lane stops although its jobs cannot be given back, and says so", async () => {
  const away = new Error("the database is away")
  const { lane, errors } = laneOver({
    fetch: () => Promise.resolve([job]),
    fail: () => Promise.reject(away),
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await lane.stop(10)
  expect(errors).toEqual([away])
})

test("a lane stops although its look at the queue is not answered, and gives back what comes late", async () => {
  const answer = Promise.withResolvers<unknown[]>()
  const { lane, failed } = laneOver({ fetch: () => answer.promise })
  await lane.stop(10)
  expect(failed).toEqual([])
  answer.resolve([job])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(failed).toEqual([["events-normal", [{ id, retryCount: 0, eventIds: [id] }], expect.anything()]])
})
