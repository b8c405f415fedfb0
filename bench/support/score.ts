import type { LabelledRecord } from "./labelled-records.ts"
import { round } from "./statistics.ts"

/** A pair of record and identifier that should not have been found, or should have been. */
export interface Miss {
  kind: "false positive" | "false negative"
  id: string | number
  identifier: string
  /** What stands around it, or the title where it stands nowhere. */
  text: string
}

/** Over pairs of record and identifier; a share of nothing is 1. */
export interface Score {
  precision: number
  recall: number
  f1: number
  found: number
  expected: number
  misses: Miss[]
}

/** Compares what `find` reads in each record with what is expected of it. */
export function score(
  records: readonly LabelledRecord[],
  find: (record: LabelledRecord) => Iterable<string>,
): Score {
  const misses: Miss[] = []
  let found = 0
  let expected = 0
  for (const record of records) {
    const read = new Set(find(record))
    const wanted = new Set(record.expected)
    found += read.size
    expected += wanted.size
    const miss = (kind: Miss["kind"], identifier: string): void => {
      misses.push({ kind, id: record.id, identifier, text: around(record, identifier) })
    }
    for (const identifier of read) if (!wanted.has(identifier)) miss("false positive", identifier)
    for (const identifier of wanted) if (!read.has(identifier)) miss("false negative", identifier)
  }
  const right = found - misses.filter(({ kind }) => kind === "false positive").length
  const precision = found === 0 ? 1 : right / found
  const recall = expected === 0 ? 1 : right / expected
  const f1 = right === 0 ? 0 : (2 * precision * recall) / (precision + recall)
  return {
    precision: round(precision, 4),
    recall: round(recall, 4),
    f1: round(f1, 4),
    found,
    expected,
    misses,
  }
}

function around({ title, branch, body }: LabelledRecord, identifier: string): string {
  for (const [field, text] of Object.entries({ title, branch, body })) {
    const at = text?.toUpperCase().indexOf(identifier) ?? -1
    if (at !== -1)
      return `${field} ${JSON.stringify(text?.slice(Math.max(0, at - 60), at + identifier.length + 30))}`
  }
  return `title ${JSON.stringify(title ?? "")}`
}
