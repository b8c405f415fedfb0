import { createHmac, randomUUID } from "node:crypto"

/** The secret that the tests' default GitHub source has. */
export const githubSecret = "It's a Secret to Everybody"

/** A delivery as GitHub sends it. */
export interface GithubDelivery {
  event: string
  body: Buffer
  /** X-GitHub-Delivery; a fresh one if absent. */
  guid?: string
}

/** Headers of a delivery, signed over the bytes of its body. */
export function githubHeaders(
  { event, body, guid = randomUUID() }: GithubDelivery,
  secret = githubSecret,
): Record<string, string> {
  return {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": guid,
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  }
}

/** A small delivery that is one of a star, with whatever else is to be in its JSON text. */
export function starBody(extra = ""): Buffer {
  const repository = '"repository":{"id":1,"full_name":"acme/api","owner":{"login":"acme"}}'
  const sender = '"sender":{"id":7,"login":"dev","type":"User"}'
  return Buffer.from(
    `{"action":"created","starred_at":"2026-11-21T10:00:00Z",${repository},${sender}${extra}}`,
  )
}

/** Sends a delivery; the answer with its JSON. */
export async function sendGithub(
  url: string,
  delivery: GithubDelivery,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; json: Record<string, unknown> }> {
  const response = await fetch(`${url}/webhooks/github`, {
    method: "POST",
    headers: { ...githubHeaders(delivery), ...headers },
    body: new Uint8Array(delivery.body),
  })
  return { status: response.status, headers: response.headers, json: await jsonOf(response) }
}

/** The JSON object of an answer. */
export async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  const json: unknown = await response.json()
  if (typeof json !== "object" || json === null) throw new Error(`not an object: ${JSON.stringify(json)}`)
  return { ...json }
}
