/** Child process of the ingest bench: signalbox as it ships, with the role `ingest` alone. */
import { createHub } from "../../src/hub.ts"
import { announce } from "./child-server.ts"
import { benchSecret } from "./github-requests.ts"

const hub = createHub({
  databaseUrl: process.env["BENCH_DATABASE_URL"] ?? "",
  host: "127.0.0.1",
  port: 0,
  roles: ["ingest"],
  secrets: { github: [benchSecret] },
  env: { LOG_LEVEL: "error" },
})
await hub.start()

announce(Number(new URL(hub.url ?? "").port), () => hub.stop())
