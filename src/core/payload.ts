import { SignalboxError } from "./errors.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The media type of a Content-Type header, lower-case and without parameters. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(";")
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/**
 * The JSON text within a body: the body itself, or the `payload` field of a form. A flat form
 * (Slack's slash commands) becomes an object of its fields. Throws 400 for bytes that are not UTF-8.
 */
export function jsonText(body: Buffer, contentType: string): string {
  const text = decode(body)
  if (mediaType(contentType) !== "application/x-www-form-urlencoded") return text
  const fields = new URLSearchParams(text)
  return fields.get("payload") ?? JSON.stringify(Object.fromEntries(fields))
}

/** Parses a body; throws `malformed_json` where it is not JSON. Depth is the caller's to bound. */
export function parsePayload(body: Buffer, contentType: string): unknown {
  const text = jsonText(body, contentType)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SignalboxError("malformed_json", "the body is not valid JSON", { cause })
  }
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch (cause) {
    throw new SignalboxError("malformed_json", "the body is not valid UTF-8", { cause })
  }
}
