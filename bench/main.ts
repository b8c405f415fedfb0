import { parseArgs } from "node:util"
import { publish, type BenchOptions, type BenchResult } from "./support/result.ts"

const benches: Readonly<
  Record<string, () => Promise<{ run: (options: BenchOptions) => Promise<BenchResult> }>>
> = {
  ingest: () => import("./ingest.ts"),
  sse: () => import("./sse.ts"),
  pipeline: () => import("./pipeline.ts"),
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: "string" } } })
const [name = ""] = positionals
const load = Object.hasOwn(benches, name) ? benches[name] : undefined
if (load === undefined || positionals.length !== 1) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [--json FILE]`)
  process.exitCode = 2
} else {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))
  const { run } = await load()
  await publish(await run({ progress: (line) => console.error(line) }), values.json)
}
