// A process that runs an embedded server, as a hub does: prints one JSON line when it is up, and
// stops the server on SIGINT, after having used it once more. Argument: options of startEmbedded.
import { startEmbedded } from "../../src/store/embedded/start-embedded.ts"
import { createPool } from "../../src/store/database.ts"

const server = await startEmbedded(JSON.parse(process.argv[2] ?? "{}"))
const { url, pid, adopted } = server
const idle = setInterval(() => {}, 60_000)

process.once("SIGINT", () => {
  void (async () => {
    const pool = createPool(url, { max: 1 })
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { rows } = await pool.query("select 1 as drained")
    process.stdout.write(`${JSON.stringify(rows[0])}\n`)
    await pool.end()
    await server.stop()
    clearInterval(idle)
  })()
})
process.once("SIGTERM", () => process.exit(1)) // an end without a stop
process.stdout.write(`${JSON.stringify({ url, pid, adopted })}\n`)
