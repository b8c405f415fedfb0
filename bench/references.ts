import { parseTeamKeys } from "../src/cli/team-keys.ts"
import { createExtractor } from "../src/correlation/extract-record.ts"
import { platforms } from "../src/platforms/index.ts"
import { ownCorpus, readRecords, type LabelledRecord } from "./support/labelled-records.ts"
import type { BenchOptions, BenchReport } from "./support/result.ts"
import { score, type Score } from "./support/score.ts"

export const options = { corpus: { type: "string" }, "team-keys": { type: "string" } } as const

const linearIssue = "linear:issue:"

/**
 * Precision and recall of the identifiers of Linear issues found in labelled records, whatever the
 * strength of the reference, beside those of the two patterns that others use.
 */
export async function run({ values }: BenchOptions): Promise<BenchReport> {
  const corpus = typeof values["corpus"] === "string" ? values["corpus"] : undefined
  const keys = typeof values["team-keys"] === "string" ? values["team-keys"] : undefined
  const records = await readRecords(corpus ?? ownCorpus)
  const known = keys === undefined ? {} : { teamKeys: parseTeamKeys(keys) }
  const extract = createExtractor(platforms, known)
  const scores = {
    ours: score(records, (record) =>
      extract(record).flatMap(({ entity }) =>
        entity.startsWith(linearIssue) ? [entity.slice(linearIssue.length)] : [],
      ),
    ),
    plain: score(records, matching(/[A-Z]+-\d+/g)),
    loose: score(records, matching(/\w{1,7}-\d+/g)),
  }
  const { misses, ...ours } = scores.ours
  return {
    bench: "references",
    lines: [
      row(["", "precision", "recall", "F1"]),
      ...Object.entries(scores).map(([name, one]) => row([name, ...figuresOf(one)])),
      ...misses.map(({ kind, id, identifier, text }) => `${kind}: ${identifier} in ${id}, ${text}`),
      `${records.length} records, ${ours.expected} pairs of record and identifier, ` +
        `${keys === undefined ? "no team keys known" : `team keys ${keys}`}, ${misses.length} misses`,
    ],
    figures: {
      ...ours,
      misses,
      baselines: Object.fromEntries(
        [["plain", scores.plain] as const, ["loose", scores.loose] as const].map(([name, one]) => [
          name,
          { precision: one.precision, recall: one.recall, f1: one.f1 },
        ]),
      ),
    },
    conditions: {
      corpus: corpus ?? "fixtures/correlation/references.jsonl",
      records: records.length,
      teamKeys: known.teamKeys === undefined ? null : [...known.teamKeys],
      counted: "pairs of record and identifier, in capitals, over title, branch and body",
      plain: "[A-Z]+-\\d+",
      loose: "\\w{1,7}-\\d+",
    },
  }
}

function matching(pattern: RegExp): (record: LabelledRecord) => string[] {
  return ({ title, branch, body }) =>
    [title, branch, body].flatMap((text) => (text?.match(pattern) ?? []).map((found) => found.toUpperCase()))
}

function figuresOf({ precision, recall, f1 }: Score): string[] {
  return [precision, recall, f1].map((figure) => figure.toFixed(4))
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(8) : cell.padStart(10))).join("")
}
