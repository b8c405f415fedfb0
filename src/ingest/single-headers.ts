import type { IncomingMessage } from "node:http"
import { SignalboxError } from "../core/errors.ts"

/** Of these a proxy may add its own, and nothing is decided by the value: the first one counts. */
const harmless: ReadonlySet<string> = new Set(["user-agent"])

/**
 * Headers by lower-case name with one value each, as Node has read them. Of a header that came twice,
 * Node and whatever stands before us may each believe another one: such a header has no value here, and
 * whoever asks for it (a signature check, a delivery key, the media type) gets a 400 instead.
 */
export function singleHeaders({
  headers,
  rawHeaders,
}: Pick<IncomingMessage, "headers" | "rawHeaders">): Record<string, string> {
  const single: Record<string, string> = {}
  let names = 0
  for (const name in headers) {
    names++
    const value = headers[name]
    if (typeof value === "string") single[name] = value
  }
  if (2 * names === rawHeaders.length) return single // each came once
  for (const name of repeatedNames(rawHeaders)) {
    if (!harmless.has(name))
      Object.defineProperty(single, name, { get: () => refuse(name), enumerable: true })
  }
  return single
}

function repeatedNames(rawHeaders: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase()
    if (seen.has(name)) repeated.add(name)
    seen.add(name)
  }
  return repeated
}

function refuse(name: string): never {
  throw new SignalboxError("bad_request", `the header ${name} came more than once`)
}
