import type { z } from "zod"
import { addressFault } from "../client/hub-address.ts"
import { SignalboxError } from "../core/errors.ts"
import { textOption, type CommandContext } from "./command.ts"

/** Options of every command that talks to a running hub. */
export const remoteOptions = { url: { type: "string" }, key: { type: "string" } } as const

/** What they say, for a command's usage. */
export const remoteUsage = "[--url http://localhost:3000] [--key KEY, or SIGNALBOX_API_KEY]"

/**
 * The hub that `--url` and `--key` (or the environment, where what is empty counts as not set) name. Throws
 * `configuration` where there is no key, or what should be an address is none.
 */
export function hubOf({ options, env }: Pick<CommandContext, "options" | "env">): {
  base: string
  key: string
} {
  const set = (variable: string) => env[variable]?.trim() || undefined
  const url = textOption(options, "url")
  const base = url ?? set("SIGNALBOX_URL") ?? `http://localhost:${set("PORT") ?? 3000}`
  const fault = addressFault(base)
  if (fault !== undefined) {
    throw new SignalboxError("configuration", `${url === undefined ? "SIGNALBOX_URL" : "--url"} ${fault}`)
  }
  const key = textOption(options, "key") ?? set("SIGNALBOX_API_KEY") ?? set("SIGNALBOX_ADMIN_KEY")
  if (key === undefined || key.trim() === "") throw keyMissing(key, env)
  if (/[^ -~\u00a0-\u00ff]/.test(key)) {
    // What refuses it would say it.
    throw new SignalboxError("configuration", "the API key holds characters that no header can carry")
  }
  return { base, key }
}

function keyMissing(option: string | undefined, env: CommandContext["env"]): SignalboxError {
  const empty =
    option === undefined
      ? ["SIGNALBOX_API_KEY", "SIGNALBOX_ADMIN_KEY"].find((name) => env[name] !== undefined)
      : "--key"
  const why = empty === undefined ? "" : `, and ${empty} is empty`
  return new SignalboxError(
    "configuration",
    `an API key is needed${why}: --key KEY, or set SIGNALBOX_API_KEY`,
  )
}

/** What to say where no hub answers. */
export function noHubAt(base: string, cause: unknown): SignalboxError {
  const words = `no hub answers at ${base}: start one, or name it with --url`
  return new SignalboxError("unavailable", words, { cause })
}

/** Sends a request to that hub. */
export async function requestHub(
  context: CommandContext,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const { signal } = context
  const { base, key } = hubOf(context)
  const headers = new Headers(init.headers)
  headers.set("authorization", `Bearer ${key}`)
  let response: Response
  try {
    response = await fetch(new URL(path, base), { ...init, headers, signal })
  } catch (cause) {
    if (signal.aborted) throw cause
    throw noHubAt(base, cause)
  }
  if (response.ok) return response
  const text = await response.text()
  throw refusal(response.status, detailOf(text), text)
}

/** The error of a command for what the hub answered. */
export function refusal(status: number, detail: string | undefined, text = ""): SignalboxError {
  // These name what was asked for, and so speak for themselves.
  if (status === 404 && detail !== undefined) return new SignalboxError("not_found", detail)
  if (status === 409 && detail !== undefined) return new SignalboxError("conflict", detail)
  return new SignalboxError("bad_request", `${status} ${detail ?? text.slice(0, 200)}`)
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

/**
 * What asks the hub for something under a path of its API, with a body where there is one, and reads its answer; an
 * empty one is null.
 */
export function askUnder(root: string) {
  return async <T>(
    context: CommandContext,
    schema: z.ZodType<T>,
    method: string,
    path: string,
    body?: object,
  ): Promise<T> => {
    const response = await requestHub(context, root + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    })
    return schema.parse(response.status === 204 ? null : await response.json())
  }
}
