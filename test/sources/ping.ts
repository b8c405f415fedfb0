import { randomUUID } from "node:crypto"
import { githubHeaders } from "../ingest/support/github-sender.ts"

let pings = 0

/** Sends a GitHub ping to an address, each another one, signed with the secret; answers the status. */
export async function sendPing(url: string, secret: string, guid: string = randomUUID()): Promise<number> {
  const hook = { id: ++pings }
  const body = Buffer.from(JSON.stringify({ zen: "Keep it logically awesome.", hook_id: pings, hook }))
  const headers = githubHeaders({ event: "ping", body, guid }, secret)
  const response = await fetch(url, { method: "POST", body, headers })
  await response.arrayBuffer()
  return response.status
}
