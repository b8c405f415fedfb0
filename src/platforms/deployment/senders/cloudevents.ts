import { SignalboxError } from "../../../core/errors.ts"
import { type Fields, fieldsOf } from "../../../core/fields.ts"
import { mediaType, parsePayload } from "../../../core/payload.ts"
import type { Message, Part } from "../../../core/platform.ts"
import { textOrNull } from "../../../core/text.ts"
import { hasCdeventForm, isCdevent, readCdevent } from "../cdevents.ts"
import { deliveryId } from "../delivery-id.ts"
import { jsonElements } from "../json-elements.ts"
import { lenientDeployment } from "../lenient.ts"
import { noticeTitle, timeOf } from "../notice.ts"
import { decoded } from "../purl.ts"
import type { Reading, Sender } from "../sender.ts"
import { sharedSecretHeaders, sharedSecretProblem, verifySharedSecret } from "../shared-secret.ts"

/**
 * CloudEvents 1.0 over HTTP (github.com/cloudevents/spec, http-protocol-binding.md) in its structured,
 * binary and batched modes, with CDEvents among them or by themselves. The specification signs nothing:
 * its webhooks (http-webhook.md) carry a bearer token, and so may these, or Standard Webhooks.
 */
export const cloudevents: Sender = {
  name: "cloudevents",
  checkSecret: sharedSecretProblem,
  verify: verifySharedSecret,
  read(message) {
    const event = eventOf(message)
    const word = textOrNull(event["type"], 200)
    const { deployment, notice } = readEvent(event, word)
    return {
      word: word ?? "unknown",
      // Source and id together are unique, section "id" of the specification.
      id: textOrNull(event["id"]) === null ? null : deliveryId(event["source"], event["id"]),
      deployment,
      ...(notice === undefined ? {} : { notice }),
    }
  },
  split,
  test(secret, at) {
    const event = { specversion: "1.0", id: `signalbox-test-${at.getTime()}`, source: "/signalbox" }
    const body = Buffer.from(JSON.stringify({ ...event, type: "signalbox.test", time: at.toISOString() }))
    return { headers: { "content-type": structured, ...sharedSecretHeaders(secret, body, at) }, body }
  },
}

const structured = "application/cloudevents+json"
const batched = "application/cloudevents-batch+json"
const maxEvents = 1_000

function split({ contentType, payload }: Message, body: Buffer): readonly Part[] | null {
  if (mediaType(contentType) !== batched || !Array.isArray(payload)) return null
  if (payload.length > maxEvents) {
    throw new SignalboxError("too_large", `a batch must hold ${maxEvents} events or fewer`)
  }
  return jsonElements(body).map((element) => ({ body: element, contentType: structured }))
}

/** The attributes of an event, and its data. */
function eventOf({ headers, contentType, payload }: Message): Fields {
  const body = fieldsOf(payload)
  if (mediaType(contentType) === structured || typeof body["specversion"] === "string") return body
  const attributes = attributesOf(headers)
  if (attributes["id"] !== undefined || attributes["type"] !== undefined) {
    checkClaim(attributes, body)
    return { ...attributes, data: payload }
  }
  if (!hasCdeventForm(body)) return body
  const { id, source, type, timestamp } = fieldsOf(body["context"])
  return { id, source, type, time: timestamp, data: body }
}

const names = ["id", "source", "type", "time", "subject"] as const

/** Attributes of binary mode; their values are percent-encoded, and may be quoted. */
function attributesOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const name of names) {
    const value = headers[`ce-${name}`]
    if (value === undefined) continue
    const bare = /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value
    attributes[name] = decoded(bare)
  }
  return attributes
}

/** Headers are not signed: a CDEvent says by itself what it is, and must be that. */
function checkClaim(attributes: Fields, body: Fields): void {
  if (!hasCdeventForm(body)) return
  const context = fieldsOf(body["context"])
  for (const name of ["id", "type"]) {
    if (attributes[name] === undefined || attributes[name] === context[name]) continue
    throw new SignalboxError("bad_request", `the header ce-${name} is not what the body's context has`)
  }
}

function readEvent(event: Fields, word: string | null): Pick<Reading, "deployment" | "notice"> {
  const data = dataOf(event)
  if (isCdevent(event["type"])) return readCdevent(data)
  // Any event may hold an id and a status; one that deploys says so by its type.
  const deployment =
    word !== null && /deploy/i.test(word)
      ? lenientDeployment({ provider: "cloudevents", occurredAt: event["time"], ...data })
      : null
  return {
    deployment,
    notice: { title: noticeTitle(word, event["subject"]), occurredAt: timeOf(event["time"]) },
  }
}

function dataOf({ data, data_base64: encoded }: Fields): Fields {
  if (data !== undefined || typeof encoded !== "string") return fieldsOf(data)
  try {
    return fieldsOf(parsePayload(Buffer.from(encoded, "base64"), "application/json"))
  } catch {
    return fieldsOf(null) // of another kind than JSON, or past the bounds that hold for a body
  }
}
