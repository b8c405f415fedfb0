import { parseArgs, type ParseArgsConfig } from "node:util"
import { SignalboxError } from "../src/core/errors.ts"
import { tuneProcess } from "../src/tune-process.ts"
import { publish, type BenchOptions, type BenchReport, type BenchResult } from "./support/result.ts"

interface Bench {
  run: (options: BenchOptions) => Promise<BenchResult | BenchReport>
  /** What it takes on the command line besides `--json`. */
  options?: ParseArgsConfig["options"]
}

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  ingest: () => import("./ingest.ts"),
  sse: () => import("./sse.ts"),
  websocket: () => import("./websocket.ts"),
  pipeline: () => import("./pipeline.ts"),
  delivery: () => import("./delivery.ts"),
  nats: () => import("./nats.ts"),
  groups: () => import("./groups.ts"),
  references: () => import("./references.ts"),
  correlation: () => import("./correlation.ts"),
}

const usage = [
  `usage: npm run bench -- ${Object.keys(benches).join("|")} [--json FILE]`,
  "       npm run bench -- ingest [--profile octokit|12k|256k|5m] [--connections 16|64|256] [--full]",
  "       npm run bench -- delivery [--events 10000] [--rounds 5] [--isolation]",
  "       npm run bench -- sse|websocket [--part latency|crowd|capacity] [--events mixed|small]",
  "       npm run bench -- nats [--url nats://127.0.0.1:4222] [--events 6000] [--rounds 5]",
  "       npm run bench -- references [--corpus FILE] [--team-keys A,B]",
  "       npm run bench -- correlation [--stories 2000]",
].join("\n")

const [name = "", ...args] = process.argv.slice(2)
const load = Object.hasOwn(benches, name) ? benches[name] : undefined
if (args.includes("--help") || args.includes("-h") || name === "--help" || name === "-h") {
  console.log(usage)
} else if (load === undefined) {
  console.error(usage)
  process.exitCode = 2
} else {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))
  tuneProcess() // as `signalbox serve` does, for all that is measured within this process
  const { run, options = {} } = await load()
  try {
    const values = read(options)
    const file = typeof values["json"] === "string" ? values["json"] : undefined
    await publish(await run({ progress: (line) => console.error(line), values }), file)
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error
    console.error(`bench ${name}: ${error.message}`)
    process.exitCode = 2
  }
}

function read(options: NonNullable<ParseArgsConfig["options"]>) {
  try {
    return parseArgs({ args, options: { json: { type: "string" }, ...options } }).values
  } catch (cause) {
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n")
    throw new SignalboxError("bad_request", `${reason}\n${usage}`, { cause })
  }
}
