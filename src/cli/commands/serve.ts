import { once } from "node:events"
import { createHub, type Hub } from "../../hub.ts"
import { tuneProcess } from "../../tune-process.ts"
import type { Command } from "../command.ts"
import { endWithParent } from "../end-with-parent.ts"
import { ruleFilesOf } from "../rule-files.ts"

/** `signalbox serve`: the hub, until SIGINT or SIGTERM. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Run the hub until it is interrupted",
  usage: "[--roles ingest,worker,stream,api] [--port N] [--rule FILE]… [--json]",
  options: {
    roles: { type: "string" },
    port: { type: "string" },
    rule: { type: "string", multiple: true },
  },
  outlivesReader: true,
  async run({ options, env, json, signal, out }) {
    tuneProcess()
    const roles = options["roles"]
    const port = options["port"]
    const ending = new AbortController()
    let status = 0
    let adminKey: string | null = null
    const hub = createHub({
      onFirstAdminKey: (key) => void (adminKey = key),
      onFatal: () => {
        status = 1
        ending.abort()
      },
      env: {
        ...env,
        ...(typeof roles === "string" ? { SIGNALBOX_ROLES: roles } : {}),
        ...(typeof port === "string" ? { PORT: port } : {}),
      },
      ruleFiles: ruleFilesOf({ options, env }),
    })
    const forget = env["npm_lifecycle_event"] === undefined ? () => {} : endWithParent(() => ending.abort())
    const end = AbortSignal.any([signal, ending.signal])
    try {
      await hub.start()
      if (json) out(JSON.stringify({ ready: true, url: hub.url, adminKey, rules: hub.correlation.rules() }))
      else for (const line of greeting(hub, adminKey)) out(line)
      if (!end.aborted) await once(end, "abort")
    } finally {
      forget()
      await hub.stop()
    }
    return status
  },
}

function* greeting(hub: Hub, adminKey: string | null): Generator<string> {
  if (hub.url === undefined) yield "signalbox is at work"
  else if (hub.roles.some((role) => role !== "worker")) yield `signalbox listens on ${hub.url}`
  else yield `signalbox is at work; probes and figures on ${hub.url}`
  yield `  roles ${hub.roles.join(", ")}`
  for (const { platform, name, off } of hub.roles.includes("ingest") ? hub.sources() : []) {
    yield off === undefined
      ? `  POST /webhooks/${platform}${name === "default" ? "" : `/${name}`}`
      : `  ${off}`
  }
  for (const { name, version } of hub.correlation.rules()) yield `  rule ${name} (version ${version})`
  if (adminKey !== null) yield `  admin key, shown this once: ${adminKey}`
}
