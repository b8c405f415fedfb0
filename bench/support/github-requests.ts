import { createHmac, randomUUID } from "node:crypto"
import { octokitExamples } from "../../test/support/octokit-examples.ts"
import type { RequestSource } from "./closed-loop.ts"

/** The secret that the benched servers share with the load generator. */
export const benchSecret = "a secret for the bench of 32 bytes"

/**
 * Every octokit payload in turn, signed beforehand (the signature covers the body alone), each time
 * under a fresh delivery GUID, with the headers that GitHub sends.
 */
export function githubRequests(path: string): RequestSource {
  const prepared = octokitExamples().map(({ event, body }) => {
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
    return { head: head.join("\r\n"), body }
  })
  let next = 0
  return () => {
    const request = prepared[next % prepared.length]
    if (request === undefined) throw new Error("no payloads")
    next++
    return { head: `${request.head}${randomUUID()}\r\n\r\n`, body: request.body }
  }
}
