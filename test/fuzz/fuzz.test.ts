import { afterAll, expect, test } from "vitest"
import { adminKey, startTestHub } from "../support/hub.ts"
import { fuzzTargets, sourcesOf } from "./corpus.ts"
import { findEventByKey } from "./find-event.ts"
import { runFuzz } from "./run-fuzz.ts"

const targets = await fuzzTargets()
const { url, database, request } = await startTestHub({ sources: sourcesOf(targets) })
const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
process.on("unhandledRejection", note)
afterAll(() => process.off("unhandledRejection", note))

test.each([
  ["always the same", 20_261_121, 1_500],
  ["of this run alone", Math.floor(Math.random() * 2 ** 31), 2_500],
])(
  "requests %s (seed %d) get 2xx or 4xx, and what was taken is there to the byte",
  async (_, seed, requests) => {
    const report = await runFuzz({
      targets,
      url,
      key: adminKey,
      requests,
      seed,
      findEvent: (platform, source, key) => findEventByKey(database.work, platform, source, key),
    })
    expect(report.faults, `seed ${seed}`).toEqual([])
    expect(report.stored).toBeGreaterThan(requests / 8)
    expect(report.readBack).toBeGreaterThanOrEqual(report.stored + report.duplicates + report.conflicts)
    expect(unhandled).toEqual([])
    expect((await request("/readyz")).status).toBe(200)
  },
  180_000,
)
