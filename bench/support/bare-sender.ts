/**
 * Child process of the delivery bench: what undici can do. A loop of `request` with 64 in flight, each
 * body signed, nothing read and nothing recorded.
 */
import { createHmac, createSecretKey, randomUUID } from "node:crypto"
import { Pool } from "undici"
import { tellParent } from "./ask-child.ts"
import { deliveredBodies, deliverySecret, inFlight } from "./delivery-load.ts"

/** What the bench asks of it; answered by one message when all are answered. */
export interface BareRequest {
  origin: string
  count: number
}

const key = createSecretKey(deliverySecret.slice("whsec_".length), "base64")
let pool: Pool | undefined

async function send({ origin, count }: BareRequest): Promise<object> {
  const connections = (pool ??= new Pool(origin, { connections: inFlight }))
  let next = 0
  async function loop(): Promise<void> {
    while (next < count) {
      const body = deliveredBodies[next++ % deliveredBodies.length] ?? Buffer.alloc(0)
      const id = randomUUID()
      const timestamp = Math.floor(Date.now() / 1_000)
      const signature = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")
      const headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": `${timestamp}`,
        "webhook-signature": `v1,${signature}`,
      }
      const answer = await connections.request({ path: "/bare", method: "POST", headers, body })
      if (answer.statusCode !== 204) throw new Error(`the receiver answered ${answer.statusCode}`)
      await answer.body.dump()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return { doneMs: Number(process.hrtime.bigint()) / 1e6 }
}

process.on("message", (request: BareRequest) => tellParent(send(request)))
process.once("disconnect", () => process.exit())
