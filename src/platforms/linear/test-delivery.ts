import { hexHmac } from "../../core/hex-hmac.ts"
import type { Secret, TestDelivery } from "../../core/platform.ts"

/** A webhook of a model that Linear does not have: `linear.test.create`. */
export function testDelivery(secret: Secret, at: Date): TestDelivery {
  const body = Buffer.from(
    JSON.stringify({
      type: "Test",
      action: "create",
      createdAt: at.toISOString(),
      data: { title: "A test sent by signalbox: nothing happened." },
      webhookTimestamp: at.getTime(),
    }),
  )
  return {
    headers: {
      "content-type": "application/json; charset=utf-8",
      "user-agent": "signalbox-test",
      "linear-delivery": `signalbox-test-${at.getTime()}`,
      "linear-event": "Test",
      "linear-timestamp": String(at.getTime()),
      "linear-signature": hexHmac(secret.value, body),
    },
    body,
  }
}
