import { writeFile } from "node:fs/promises"

/** What a bench found; `ratios` are ours over each baseline, round by round. */
export interface BenchResult {
  bench: string
  unit: string
  ours: number
  baselines: Record<string, number>
  ratios: Record<string, number>
  /** Ours over the raw limit of what lies beneath, where the bench has one. */
  rawRatio?: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
  /** Everything someone needs to judge the figures, or to get them again. */
  conditions: Record<string, unknown>
  /** The figures of each case, where the bench went through several. */
  cells?: readonly object[]
  /** The same to be read, a row a case. */
  table?: readonly Readonly<Record<string, string | number>>[]
}

/** What a bench found that measures no server: what to print, and the figures by name. */
export interface BenchReport {
  bench: string
  /** The report as it is read. */
  lines: readonly string[]
  figures: Readonly<Record<string, unknown>>
  conditions: Record<string, unknown>
}

/** What the command line asks of a bench. */
export interface BenchOptions {
  /** Says how far the bench is, on a terminal or into a log. */
  progress: (line: string) => void
  /** Its own options, as parsed. */
  values: Readonly<Record<string, unknown>>
}

/** Prints a result for reading, and writes it as JSON where a file is named. */
export async function publish(found: BenchResult | BenchReport, file: string | undefined): Promise<void> {
  if ("lines" in found) {
    const { bench, lines, figures, conditions } = found
    for (const line of lines) console.log(line)
    if (file !== undefined) await write(file, { bench, ...figures, conditions })
    return
  }
  const { table, ...result } = found
  if (table !== undefined) console.table(table)
  console.log(`${result.bench}: ${result.ours} ${result.unit}`)
  console.log(`  p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms, p99 ${result.p99Ms} ms`)
  for (const [name, value] of Object.entries(result.baselines)) {
    console.log(`  ${name}: ${value} ${result.unit}, ours is ${result.ratios[name]} times that`)
  }
  if (file !== undefined) await write(file, result)
}

async function write(file: string, value: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`)
}
