// A hub in a process of its own, so that its memory is its own: tells its port, then on every message
// its memory in bytes and the rejections that nobody handled. Ends when its parent does.
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import { fuzzTargets, sourcesOf } from "./corpus.ts"

let unhandled = 0
process.on("unhandledRejection", () => unhandled++)

const hub = createHub({
  databaseUrl: process.env["FUZZ_DATABASE"] ?? "",
  port: 0,
  host: "127.0.0.1",
  adminKey: process.env["FUZZ_KEY"] ?? "",
  sources: sourcesOf(await fuzzTargets()),
  log: silentLog,
  env: {},
})
await hub.start()
process.on("message", () => process.send?.({ rss: process.memoryUsage.rss(), unhandled }))
process.on("disconnect", () => void hub.stop().then(() => process.exit(0)))
process.send?.({ url: hub.url })
