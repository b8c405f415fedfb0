/** Child process of the delivery bench: signalbox as it ships, with every role. */
import { createHub } from "../../src/hub.ts"
import { announce } from "./child-server.ts"

const hub = createHub({
  databaseUrl: process.env["BENCH_DATABASE_URL"] ?? "",
  host: "127.0.0.1",
  port: 0,
  adminKey: process.env["BENCH_KEY"] ?? "",
  env: {
    LOG_LEVEL: "error",
    SIGNALBOX_ALLOW_NETWORKS: "127.0.0.0/8",
    SIGNALBOX_ENCRYPTION_KEY: "0".repeat(64),
  },
})
await hub.start()

announce(Number(new URL(hub.url ?? "").port), () => hub.stop())
