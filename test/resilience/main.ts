// npm run cuts -- [--cuts 1000] [--seed N] [--json]
// Cuts consumers of every transport off at random bytes, kills nodes that stream, and fails where any of them
// missed an event without being told.
import { parseArgs } from "node:util"
import { installQueue } from "../../src/queue/install.ts"
import { createPool } from "../../src/store/database.ts"
import { migrate } from "../../src/store/migrate.ts"
import { dropDatabase } from "../support/drop-database.ts"
import { adminKey } from "../support/hub.ts"
import { testServer, withDatabase } from "../support/server.ts"
import { faultsIn } from "./faults-in.ts"
import { runCuts } from "./run-cuts.ts"

const { values } = parseArgs({
  options: {
    cuts: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    json: { type: "boolean", default: false },
  },
})
const [cuts, seed] = [Number(values.cuts), Number(values.seed)]
if (!Number.isSafeInteger(cuts) || cuts < 1 || !Number.isSafeInteger(seed)) {
  console.error("usage: npm run cuts -- [--cuts N] [--seed N] [--json]")
  process.exit(2)
}

const server = await testServer()
const name = server.databaseName()
const admin = createPool(server.url, { max: 1 })
await admin.query(`create database ${name}`)
const databaseUrl = withDatabase(server.url, name)
await migrate(databaseUrl)
await installQueue(databaseUrl)
const pool = createPool(databaseUrl, { max: 1, idleTimeoutMs: 0 })

console.error(`seed ${seed}, ${cuts} cuts`)
const report = await runCuts({
  databaseUrl,
  pool,
  key: adminKey,
  seed,
  cuts,
  progress: (line) => console.error(line),
})
await pool.end()
await dropDatabase(admin, name)
await admin.end()
await server.stop()

const faults = faultsIn(report)
if (values.json) console.log(JSON.stringify({ ...report, wrong: faults }))
else {
  const { consumers, ...rest } = report
  console.log(rest)
  console.table(Object.fromEntries(consumers.map((consumer) => [consumer.name, countsOf(consumer)])))
  for (const { name: consumer, givenUp } of consumers) {
    for (const reason of givenUp) console.log(`${consumer} gave up: ${reason}`)
  }
  for (const fault of faults) console.log(fault)
}
process.exitCode = faults.length === 0 ? 0 : 1

/** What is a number of it. */
function countsOf(consumer: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(consumer).filter(([, value]) => typeof value === "number"))
}
