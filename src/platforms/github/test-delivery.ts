import { hexHmac } from "../../core/hex-hmac.ts"
import type { Secret, TestDelivery } from "../../core/platform.ts"

/** A `ping`, as a new hook sends it; it names no hook, so that none is taken to speak to the source. */
export function testDelivery(secret: Secret, at: Date): TestDelivery {
  const body = Buffer.from(
    JSON.stringify({
      zen: "A test sent by signalbox: nothing happened.",
      hook: { type: "Test", name: "signalbox", active: true, created_at: at.toISOString() },
    }),
  )
  return {
    headers: {
      "content-type": "application/json",
      "user-agent": "signalbox-test",
      "x-github-event": "ping",
      "x-github-delivery": `signalbox-test-${at.getTime()}`,
      "x-hub-signature-256": `sha256=${hexHmac(secret.value, body)}`,
    },
    body,
  }
}
