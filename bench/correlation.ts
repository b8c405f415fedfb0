import type { BenchReport } from "./support/result.ts"
import { timeExtraction } from "./support/time-extraction.ts"

/** How fast texts are read for references. */
export async function run(): Promise<BenchReport> {
  const { extractionPerSecond, octokitPerSecond, records, octokitEvents } = await timeExtraction()
  return {
    bench: "correlation",
    lines: [
      `extraction: ${extractionPerSecond} records/s on one thread (own corpus, references and links)`,
      `            ${octokitPerSecond} events/s (octokit's examples, references)`,
    ],
    figures: { extractionPerSecond, octokitPerSecond },
    conditions: {
      records: `${records} records of fixtures/correlation/references.jsonl, again and again`,
      octokit: `${octokitEvents} payloads of @octokit/webhooks-examples, normalized beforehand`,
      rounds: "the median of 7 rounds of 0.5 s, single-threaded, after one of warm-up",
    },
  }
}
