import { readFile } from "node:fs/promises"
import { text } from "node:stream/consumers"
import { SignalboxError } from "../../core/errors.ts"
import { textOption, type Command } from "../command.ts"
import { remoteOptions, remoteUsage, requestHub } from "../remote.ts"

/** `signalbox send`: submits a custom event, or a deployment, to a running hub. */
export const sendCommand: Command = {
  name: "send",
  summary: "Submit an event (JSON from a file or standard input) to a running hub",
  usage: `[FILE] [--deployment] [--idempotency-key K] ${remoteUsage}`,
  options: { ...remoteOptions, deployment: { type: "boolean" }, "idempotency-key": { type: "string" } },
  async run(context) {
    const { positionals, options, json, out } = context
    const file = positionals[0]
    if (file === undefined && process.stdin.isTTY) {
      throw new SignalboxError("bad_request", "name a file, or pipe the event in")
    }
    const body = file === undefined || file === "-" ? await text(process.stdin) : await readText(file)
    const path = options["deployment"] === true ? "/api/v1/deployments" : "/api/v1/events"
    const headers: Record<string, string> = { "content-type": "application/json" }
    const key = textOption(options, "idempotency-key")
    if (key !== undefined) headers["idempotency-key"] = key
    const response = await requestHub(context, path, { method: "POST", body, headers })
    const answer = await response.text()
    out(json ? answer : `accepted: ${answer}`)
    return 0
  },
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SignalboxError("bad_request", `${file} cannot be read: ${reason}`, { cause })
  }
}
