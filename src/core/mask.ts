import { isUtf8 } from "node:buffer"
import { hash } from "node:crypto"
import { jsonText, mediaType, parsePayload } from "./payload.ts"
import { mayHoldSecret } from "./secret-hints.ts"
import { holdsKeyId, isSecretName, merged, secretSpans, type Span } from "./secret-spans.ts"

/** Finds the secrets in a text; see `secretSpans`. */
type SpansIn = (text: string, besideKeyId: boolean) => Span[]

/** What stands where a secret was. */
const mask = "[masked]"

/**
 * The JSON text of a body as everybody may see it: secrets are masked, and everything else stands as
 * the sender wrote it. Throws as `jsonText` does. The body itself stays exact, for those with `events:raw`.
 */
export function maskedText(body: Buffer, contentType: string): string {
  const text = jsonText(body, contentType)
  const isBody = mediaType(contentType) !== "application/x-www-form-urlencoded"
  return mayHoldSecret(isBody ? body : Buffer.from(text)) ? maskJson(text) : text
}

/** The same, as the body itself where nothing has to be masked and it is JSON as it stands. */
export function maskedBody(body: Buffer, contentType: string): string | Buffer {
  if (mediaType(contentType) === "application/x-www-form-urlencoded" || !isUtf8(body))
    return maskedText(body, contentType)
  return mayHoldSecret(body) ? maskJson(body.toString()) : body
}

/** A body parsed, without its secrets. Throws as `parsePayload` does. */
export function maskedPayload(body: Buffer, contentType: string): unknown {
  return parsePayload(Buffer.from(maskedText(body, contentType)), "application/json")
}

/** A row or another short JSON text without the secrets in it. What is masked in its keys stays apart. */
export function maskRow(json: string): string {
  return mayHoldSecret(Buffer.from(json)) ? maskJson(json, unmasked) : json
}

/** A row that holds nothing but keys and names, without the secrets in it: as `maskKey` has each of them. */
export function maskRowOfKeys(json: string): string {
  return mayHoldSecret(Buffer.from(json)) ? maskJson(json, unmasked, digestMask) : json
}

/**
 * A key without the secrets in it. Each leaves a digest behind, so that what was different stays different
 * and one thing has one key; a key that has been masked stays as it is.
 */
export function maskKey(key: string): string {
  if (!mayHoldSecret(Buffer.from(key))) return key
  const shown = masked(key, unmasked(key), digestMask)
  return shown === key ? key : maskKey(shown) // what ran into a secret may look like one now
}

function digestMask(secret: string): string {
  return `[masked:${hash("sha256", secret).slice(0, 8)}]`
}

const maskForm = /^\[masked(?::[0-9a-f]{8})?\]$/

/** The secrets that are not masked yet: in an address a mask stands where a secret does. */
function unmasked(text: string, besideKeyId: boolean = holdsKeyId(text)): Span[] {
  return secretSpans(text, besideKeyId).filter(({ start, end }) => !maskForm.test(text.slice(start, end)))
}

/** Masks secrets in plain text. */
export function maskText(text: string): string {
  return masked(text, secretSpans(text))
}

/**
 * Masks secrets within the strings of a JSON text: those that look like one, and the values of fields
 * that are named like one. Valid JSON stays valid, with every byte outside of a secret as it was:
 * large integers, repeated keys, escapes and halves of characters are never read and written again.
 */
export function maskJson(
  json: string,
  spansIn: SpansIn = secretSpans,
  maskOf: (secret: string) => string = () => mask,
): string {
  const besideKeyId = holdsKeyId(json)
  const spans: Span[] = []
  for (let open = json.indexOf('"'); open !== -1;) {
    const close = endOfString(json, open)
    for (const span of spansInString(json, open, close, (text) => spansIn(text, besideKeyId)))
      spans.push(span)
    const value = valueOfSecretField(json, open, close)
    if (value !== null) spans.push(value)
    open = json.indexOf('"', (value?.end ?? close) + 1)
  }
  return masked(json, merged(spans), maskOf)
}

function masked(
  text: string,
  spans: readonly Span[],
  maskOf: (secret: string) => string = () => mask,
): string {
  if (spans.length === 0) return text
  let result = ""
  let done = 0
  for (const { start, end } of spans) {
    result += text.slice(done, start) + maskOf(text.slice(start, end))
    done = end
  }
  return result + text.slice(done)
}

/** Index of the closing quote; the end of the text where there is none. */
function endOfString(json: string, open: number): number {
  for (let at = json.indexOf('"', open + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let before = at - 1
    while (json[before] === "\\") before--
    if ((at - before) % 2 === 1) return at
  }
  return json.length
}

const shortestSecret = 6

function spansInString(json: string, open: number, close: number, spansIn: (text: string) => Span[]): Span[] {
  if (close - open <= shortestSecret) return []
  const source = json.slice(open + 1, close)
  if (!source.includes("\\")) {
    return spansIn(source).map(({ start, end }) => ({ start: open + 1 + start, end: open + 1 + end }))
  }
  const text = decoded(source)
  return text === null ? [] : spansInSource(source, spansIn(text), open + 1)
}

function decoded(source: string): string | null {
  try {
    const text: unknown = JSON.parse(`"${source}"`)
    return typeof text === "string" ? text : null
  } catch {
    return null // no JSON, and so no payload either
  }
}

/** Where spans of a decoded string stand in its source: an escape is 2 or 6 letters there, and one here. */
function spansInSource(source: string, spans: readonly Span[], offset: number): Span[] {
  let read = 0
  let at = 0
  const seek = (index: number): number => {
    for (; read < index; read++) at += source[at] !== "\\" ? 1 : source[at + 1] === "u" ? 6 : 2
    return offset + at
  }
  return spans.map(({ start, end }) => ({ start: seek(start), end: seek(end) }))
}

const space = /[ \t\r\n]*/y

/** The inside of the string that follows a key, where the key is the name of a secret. */
function valueOfSecretField(json: string, open: number, close: number): Span | null {
  const colon = skipSpace(json, close + 1)
  if (json[colon] !== ":") return null
  const quote = skipSpace(json, colon + 1)
  if (json[quote] !== '"') return null
  const source = json.slice(open + 1, close)
  if (!isSecretName(source.includes("\\") ? (decoded(source) ?? "") : source)) return null
  const end = endOfString(json, quote)
  return end === quote + 1 ? null : { start: quote + 1, end }
}

function skipSpace(json: string, at: number): number {
  space.lastIndex = at
  space.test(json)
  return space.lastIndex
}
