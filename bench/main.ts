import { parseArgs, type ParseArgsConfig } from "node:util"
import { publish, type BenchOptions, type BenchReport, type BenchResult } from "./support/result.ts"

interface Bench {
  run: (options: BenchOptions) => Promise<BenchResult | BenchReport>
  /** What it takes on the command line besides `--json`. */
  options?: ParseArgsConfig["options"]
}

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  ingest: () => import("./ingest.ts"),
  sse: () => import("./sse.ts"),
  pipeline: () => import("./pipeline.ts"),
  references: () => import("./references.ts"),
  correlation: () => import("./correlation.ts"),
}

const [name = "", ...args] = process.argv.slice(2)
const load = Object.hasOwn(benches, name) ? benches[name] : undefined
if (load === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [--json FILE]`)
  console.error(
    "       npm run bench -- ingest [--profile octokit|12k|256k|5m] [--connections 16|64|256] [--full]",
  )
  console.error("       npm run bench -- references [--corpus FILE] [--team-keys A,B]")
  process.exitCode = 2
} else {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))
  const { run, options = {} } = await load()
  const { values } = parseArgs({ args, options: { json: { type: "string" }, ...options } })
  const file = typeof values["json"] === "string" ? values["json"] : undefined
  await publish(await run({ progress: (line) => console.error(line), values }), file)
}
