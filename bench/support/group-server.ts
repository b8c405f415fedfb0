/** Child process of the groups bench: signalbox as it ships, with the roles `stream` and `api`. */
import { createHub } from "../../src/hub.ts"
import { announce } from "./child-server.ts"

const hub = createHub({
  databaseUrl: process.env["BENCH_DATABASE_URL"] ?? "",
  host: "127.0.0.1",
  port: 0,
  roles: ["stream", "api"],
  adminKey: process.env["BENCH_ADMIN_KEY"] ?? "",
  env: { LOG_LEVEL: "error" },
})
await hub.start()

announce(Number(new URL(hub.url ?? "").port), () => hub.stop())
