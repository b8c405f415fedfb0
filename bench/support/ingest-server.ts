/** Child process of the ingest bench: signalbox with the role `ingest` alone. */
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { problemHandlers } from "../../src/api/problem.ts"
import { createLog } from "../../src/core/log.ts"
import { createIngest } from "../../src/ingest/ingest.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { openDatabase } from "../../src/store/database.ts"
import { openSources } from "../../src/store/sources.ts"
import { announce } from "./child-server.ts"
import { benchSecret } from "./github-requests.ts"
import { listen } from "./listen.ts"

const url = process.env["BENCH_DATABASE_URL"] ?? ""
const withJob = process.env["BENCH_JOB"] !== "none"
const log = createLog("warn")
const database = openDatabase({ url })
const queue = createQueue({ url, log })
await queue.start()
const ingest = createIngest({
  databaseUrl: url,
  platforms,
  sources: await openSources(database.work, { platforms, secrets: new Map([["github", [benchSecret]]]) }),
  enqueue: (db, batches) => (withJob ? queue.enqueue(db, batches) : Promise.resolve()),
  log,
})
const app = new Hono().route("/", ingest.routes)
const { onError, notFound } = problemHandlers(log)
app.onError(onError)
app.notFound(notFound)
const server = createAdaptorServer({ fetch: app.fetch })

announce(await listen(server), async () => {
  server.close()
  await ingest.close()
  await queue.stop()
  await database.close()
})
