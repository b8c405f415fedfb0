import { once } from "node:events"
import { createHub, type Hub } from "../../hub.ts"
import type { Command } from "../command.ts"
import { endWithParent } from "../end-with-parent.ts"

/** `signalbox serve`: the hub, until SIGINT or SIGTERM. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Run the hub until it is interrupted",
  usage: "[--roles ingest,worker,stream,api] [--port N] [--json]",
  options: { roles: { type: "string" }, port: { type: "string" } },
  async run({ options, env, json, signal, out }) {
    const roles = options["roles"]
    const port = options["port"]
    const ending = new AbortController()
    let status = 0
    const hub = createHub({
      onFatal: () => {
        status = 1
        ending.abort()
      },
      env: {
        ...env,
        ...(typeof roles === "string" ? { SIGNALBOX_ROLES: roles } : {}),
        ...(typeof port === "string" ? { PORT: port } : {}),
      },
    })
    const forget = env["npm_lifecycle_event"] === undefined ? () => {} : endWithParent(() => ending.abort())
    const end = AbortSignal.any([signal, ending.signal])
    try {
      await hub.start()
      if (json) out(JSON.stringify({ ready: true, url: hub.url, adminKey: hub.firstAdminKey }))
      else for (const line of greeting(hub)) out(line)
      if (!end.aborted) await once(end, "abort")
    } finally {
      forget()
      await hub.stop()
    }
    return status
  },
}

function* greeting(hub: Hub): Generator<string> {
  yield hub.url === undefined ? "signalbox is at work" : `signalbox listens on ${hub.url}`
  for (const { platform, name, off } of hub.sources()) {
    yield off === undefined
      ? `  POST /webhooks/${platform}${name === "default" ? "" : `/${name}`}`
      : `  ${off}`
  }
  if (hub.firstAdminKey !== null) {
    yield `  admin key, shown this once: ${hub.firstAdminKey}`
  }
}
