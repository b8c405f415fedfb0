import { SignalboxError } from "./errors.ts"
import { jsonExcess, maxJsonDepth, maxJsonValues } from "./json-scan.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const formType = "application/x-www-form-urlencoded"

/** Fields of a form; the largest that platforms send (a slash command) has about 20. */
const maxFormFields = 1_000

/** The media type of a Content-Type header, lower-case and without parameters. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(";")
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/**
 * The JSON text within a body: the body itself, or the `payload` field of a form. A flat form
 * (Slack's slash commands) becomes an object of its fields. Throws 400 for bytes that are not UTF-8,
 * 413 for a form of more than 1,000 fields.
 */
export function jsonText(body: Buffer, contentType: string): string {
  return mediaType(contentType) === formType ? formText(body) : decode(body)
}

/**
 * Parses a body. Throws `malformed_json` where it is not JSON, `too_deep` where it is nested deeper
 * than 512 levels, `too_large` where it holds more than a million values; so that whoever walks
 * through a payload may descend as deep as it goes.
 */
export function parsePayload(body: Buffer, contentType: string): unknown {
  const form = mediaType(contentType) === formType
  const text = form ? formText(body) : decode(body)
  checkExcess(form ? Buffer.from(text) : body)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SignalboxError("malformed_json", "the body is not valid JSON", { cause })
  }
}

function checkExcess(json: Buffer): void {
  switch (jsonExcess(json)) {
    case "depth":
      throw new SignalboxError("too_deep", `the body is nested deeper than ${maxJsonDepth} levels`)
    case "values":
      throw new SignalboxError("too_large", `the body holds more than ${maxJsonValues} values`)
    case null:
  }
}

function formText(body: Buffer): string {
  checkFields(body)
  const fields = new URLSearchParams(decode(body))
  return fields.get("payload") ?? JSON.stringify(Object.fromEntries(fields))
}

/** Counts before anything is made of them: 25 MB of `a&a&…` would be 12 million fields. */
function checkFields(body: Buffer): void {
  let fields = 1
  for (let at = body.indexOf("&"); at !== -1; at = body.indexOf("&", at + 1)) {
    if (++fields > maxFormFields) {
      throw new SignalboxError("too_large", `the form has more than ${maxFormFields} fields`)
    }
  }
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch (cause) {
    throw new SignalboxError("malformed_json", "the body is not valid UTF-8", { cause })
  }
}
