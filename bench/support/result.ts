import { writeFile } from "node:fs/promises"

/** What a bench found; `ratios` are ours over each baseline, round by round. */
export interface BenchResult {
  bench: string
  unit: string
  ours: number
  baselines: Record<string, number>
  ratios: Record<string, number>
  p50Ms: number
  p95Ms: number
  p99Ms: number
  /** Everything someone needs to judge the figures, or to get them again. */
  conditions: Record<string, unknown>
}

/** What the command line asks of every bench. */
export interface BenchOptions {
  /** Says how far the bench is, on a terminal or into a log. */
  progress: (line: string) => void
}

/** Prints a result for reading, and writes it as JSON where a file is named. */
export async function publish(result: BenchResult, file: string | undefined): Promise<void> {
  console.log(`${result.bench}: ${result.ours} ${result.unit}`)
  console.log(`  p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms, p99 ${result.p99Ms} ms`)
  for (const [name, value] of Object.entries(result.baselines)) {
    console.log(`  ${name}: ${value} ${result.unit}, ours is ${result.ratios[name]} times that`)
  }
  if (file !== undefined) await writeFile(file, `${JSON.stringify(result, null, 2)}\n`)
}
