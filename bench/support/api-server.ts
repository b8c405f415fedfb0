/** Child process of the correlation bench: signalbox as it ships, with the role `api` alone. */
import { createHub } from "../../src/hub.ts"
import { announce } from "./child-server.ts"

const hub = createHub({
  databaseUrl: process.env["BENCH_DATABASE_URL"] ?? "",
  host: "127.0.0.1",
  port: 0,
  roles: ["api"],
  adminKey: process.env["BENCH_ADMIN_KEY"] ?? "",
  env: { LOG_LEVEL: "error" },
})
await hub.start()

announce(Number(new URL(hub.url ?? "").port), () => hub.stop())
