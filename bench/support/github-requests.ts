import { createHmac, randomUUID } from "node:crypto"
import type { Payload } from "./payload-profiles.ts"

/** The secret that the benched servers share with the load generator. */
export const benchSecret = "a secret for the bench of 32 bytes"

/** A request to be sent as it is: its head with the closing blank line, and its body. */
export interface Request {
  head: string
  body: Buffer
}

/**
 * Makes the n-th request: the payloads in turn, signed beforehand (the signature covers the body alone),
 * with the headers that GitHub sends. Each has a delivery GUID of its own and so is an event of its own.
 */
export function requestMaker(
  path: string,
  payloads: readonly Payload[],
): (n: number, guid?: string) => Request {
  const prepared = payloads.map(({ event, body }) => ({ head: headOf(path, event, body), body }))
  return (n, guid = randomUUID()) => {
    const request = prepared[n % prepared.length]
    if (request === undefined) throw new Error("no payloads")
    return { head: `${request.head}${guid}\r\n\r\n`, body: request.body }
  }
}

function headOf(path: string, event: string, body: Buffer): string {
  const signature = createHmac("sha256", benchSecret).update(body).digest("hex")
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "User-Agent: GitHub-Hookshot/b0db1f5",
    "Accept: */*",
    "Content-Type: application/json",
    `X-GitHub-Event: ${event}`,
    "X-GitHub-Hook-ID: 512345678",
    "X-GitHub-Hook-Installation-Target-ID: 712345678",
    "X-GitHub-Hook-Installation-Target-Type: repository",
    `X-Hub-Signature-256: sha256=${signature}`,
    `Content-Length: ${body.length}`,
    "X-GitHub-Delivery: ",
  ]
  return head.join("\r\n")
}
