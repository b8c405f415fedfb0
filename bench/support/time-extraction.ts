import type { Message, Normalized } from "../../src/core/platform.ts"
import { createExtractor } from "../../src/correlation/extract-record.ts"
import { collectReferences } from "../../src/correlation/references.ts"
import { github } from "../../src/platforms/github/index.ts"
import { platforms } from "../../src/platforms/index.ts"
import { octokitExamples } from "../../test/support/octokit-examples.ts"
import { ownCorpus, readRecords } from "./labelled-records.ts"
import { median } from "./statistics.ts"

export interface ExtractionSpeed {
  /** Records of the corpus, references and links, a second on one thread. */
  extractionPerSecond: number
  /** Normalized events of octokit's examples, references alone, a second on one thread. */
  octokitPerSecond: number
  records: number
  octokitEvents: number
}

const rounds = 7
const roundMs = 500

/** Times the reading of texts, single-threaded; the two kinds take turns, and the median of the rounds is told. */
export async function timeExtraction(): Promise<ExtractionSpeed> {
  const records = await readRecords(ownCorpus)
  const extract = createExtractor(platforms)
  const events = octokitExamples().map(({ event, payload }) => normalizedOf(event, payload))
  const perSecond = { records: [] as number[], events: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    const ofRecords = rate(records, extract)
    const ofEvents = rate(events, (event) => collectReferences(platforms, event))
    if (round === 0) continue // the compiler's
    perSecond.records.push(ofRecords)
    perSecond.events.push(ofEvents)
  }
  return {
    extractionPerSecond: Math.round(median(perSecond.records)),
    octokitPerSecond: Math.round(median(perSecond.events)),
    records: records.length,
    octokitEvents: events.length,
  }
}

function rate<T>(items: readonly T[], read: (item: T) => unknown): number {
  const startedAt = performance.now()
  let count = 0
  while (performance.now() - startedAt < roundMs) {
    for (const item of items) read(item)
    count += items.length
  }
  return (count * 1000) / (performance.now() - startedAt)
}

function normalizedOf(event: string, payload: unknown): Normalized {
  const message: Message = {
    headers: { "x-github-event": event },
    contentType: "application/json",
    payload,
    receivedAt: new Date(),
  }
  return github.normalize(message)
}
