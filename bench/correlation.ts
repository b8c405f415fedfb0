import { SignalboxError } from "../src/core/errors.ts"
import { openBenchServer } from "./support/bench-database.ts"
import type { BenchOptions, BenchReport } from "./support/result.ts"
import { timeExtraction } from "./support/time-extraction.ts"
import { timeTimelines, type TimelineReport, type TimelineTimes } from "./support/timeline-times.ts"

export const options = {
  stories: { type: "string", default: "2000" },
} as const

const requests = 300

/** How fast texts are read for references, and how soon a long timeline comes out of a large store. */
export async function run({ progress, values }: BenchOptions): Promise<BenchReport> {
  const stories = Number(values["stories"])
  if (!Number.isInteger(stories) || stories < 1)
    throw new SignalboxError("bad_request", "--stories must be a whole number from 1 up")
  progress("reading texts")
  const { extractionPerSecond, octokitPerSecond, records, octokitEvents } = await timeExtraction()
  const { database, timelines } = await timelinesOf(stories, progress)
  return {
    bench: "correlation",
    lines: [
      `extraction: ${extractionPerSecond} records/s on one thread (own corpus, references and links)`,
      `            ${octokitPerSecond} events/s (octokit's examples, references)`,
      `timeline of ${timelines.events} events out of ${timelines.stored}:`,
      `            ${told(timelines.whole)}, with bodies`,
      `            ${told(timelines.heads)}, without (payload=false)`,
      `            ${percentiles(timelines.called)}, called within the process`,
    ],
    figures: { extractionPerSecond, octokitPerSecond, timelines },
    conditions: {
      records: `${records} records of fixtures/correlation/references.jsonl, again and again`,
      octokit: `${octokitEvents} payloads of @octokit/webhooks-examples, normalized beforehand`,
      rounds: "the median of 7 rounds of 0.5 s, single-threaded, after one of warm-up",
      timelines: `${stories} stories side by side, bodies of ${timelines.bodyBytes} bytes; ${requests} requests of each kind, one at a time, of stories drawn at random, from request to the last byte over HTTP, not compressed`,
      database,
      sharedMachine: "server, database and client share the cores",
    },
  }
}

async function timelinesOf(
  stories: number,
  progress: (line: string) => void,
): Promise<{ database: string; timelines: TimelineReport }> {
  const server = await openBenchServer()
  try {
    return {
      database: server.description,
      timelines: await timeTimelines(server, { stories, requests }, progress),
    }
  } finally {
    await server.stop()
  }
}

function told({ answerBytes, ...times }: TimelineTimes): string {
  return `${percentiles(times)} (${Math.round(answerBytes / 1024)} KiB)`
}

function percentiles({ p50Ms, p95Ms, p99Ms }: TimelineReport["called"]): string {
  return `p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms`
}
