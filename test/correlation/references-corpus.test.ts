import { readFile } from "node:fs/promises"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { createExtractor } from "../../src/correlation/extract-record.ts"
import { platforms } from "../../src/platforms/index.ts"

const shape = z.object({
  id: z.string(),
  kind: z.string(),
  title: z.string(),
  branch: z.string().nullable(),
  body: z.string(),
  expected: z.array(z.string()),
  withoutKeys: z.array(z.string()).optional(),
  weak: z.array(z.string()).default([]),
  others: z.array(z.string()).default([]),
})

const corpus = new URL("../../fixtures/correlation/references.jsonl", import.meta.url)
const records = (await readFile(corpus, "utf8"))
  .trim()
  .split("\n")
  .map((line) => shape.parse(JSON.parse(line)))
type CorpusRecord = (typeof records)[number]

const teamKeys = new Set("ENG WEB OPS PLAT MOB DES DOCS 4U PLA4".split(" "))
const careful = createExtractor(platforms)
const knowing = createExtractor(platforms, { teamKeys })
const linearIssue = "linear:issue:"

/** Every identifier with the best strength it is read with, and the entities of other platforms. */
function read(record: CorpusRecord, extract: typeof careful) {
  const strength = new Map<string, string>()
  const others = new Set<string>()
  for (const { entity, evidence, ...reference } of extract(record)) {
    const text = record[evidence.field as "title" | "branch" | "body"] ?? ""
    expect(text.slice(evidence.start, evidence.end)).toBe(evidence.text)
    if (!entity.startsWith(linearIssue)) others.add(entity)
    else if (strength.get(entity) !== "strong") strength.set(entity, reference.strength)
  }
  const issues = [...strength].map(([entity, best]) => `${entity.slice(linearIssue.length)} ${best}`)
  return { issues: issues.toSorted(), others: [...others].toSorted() }
}

function wanted(identifiers: readonly string[], { weak, others }: CorpusRecord) {
  const issues = identifiers.map((one) => `${one} ${weak.includes(one) ? "weak" : "strong"}`)
  return { issues: issues.toSorted(), others: others.toSorted() }
}

describe("of every record of the corpus, the references and their strength are read", () => {
  it.each(records)("$id, with the team keys known", (record) => {
    expect(read(record, knowing)).toEqual(wanted(record.expected, record))
  })

  it.each(records)("$id, with none known", (record) => {
    expect(read(record, careful)).toEqual(wanted(record.withoutKeys ?? record.expected, record))
  })
})

it("the corpus has positives, look-alikes and plain records", () => {
  const count = (kind: RegExp) => records.filter((record) => kind.test(record.kind)).length
  expect(records.filter(({ expected }) => expected.length > 0).length).toBeGreaterThan(70)
  expect(count(/look-alike/)).toBeGreaterThan(50)
  expect(count(/plain/)).toBeGreaterThan(5)
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length)
})
