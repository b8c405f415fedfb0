import { SignalboxError } from "../core/errors.ts"
import { textOption, type CommandContext } from "./command.ts"

/** Options of every command that talks to a running hub. */
export const remoteOptions = { url: { type: "string" }, key: { type: "string" } } as const

/** What they say, for a command's usage. */
export const remoteUsage = "[--url http://localhost:3000] [--key KEY, or SIGNALBOX_API_KEY]"

/** Sends a request to the hub that `--url` and `--key` (or the environment) name. */
export async function requestHub(
  { options, env, signal }: CommandContext,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const base = textOption(options, "url") ?? env["SIGNALBOX_URL"] ?? `http://localhost:${env["PORT"] ?? 3000}`
  const key = textOption(options, "key") ?? env["SIGNALBOX_API_KEY"] ?? env["SIGNALBOX_ADMIN_KEY"]
  if (key === undefined) {
    throw new SignalboxError("configuration", "an API key is needed: --key KEY, or set SIGNALBOX_API_KEY")
  }
  if (/[^ -~\u00a0-\u00ff]/.test(key)) {
    // What refuses it would say it.
    throw new SignalboxError("configuration", "the API key holds characters that no header can carry")
  }
  const headers = new Headers(init.headers)
  headers.set("authorization", `Bearer ${key}`)
  let response: Response
  try {
    response = await fetch(new URL(path, base), { ...init, headers, signal })
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new SignalboxError("unavailable", `no hub answers at ${base}: start one, or name it with --url`, {
      cause,
    })
  }
  if (response.ok) return response
  const text = await response.text()
  throw new SignalboxError("bad_request", `${response.status} ${detailOf(text) ?? text.slice(0, 200)}`)
}

function detailOf(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text)
    if (typeof problem === "object" && problem !== null && "detail" in problem) return String(problem.detail)
  } catch {
    // not a problem document: the caller shows the text itself
  }
  return undefined
}
