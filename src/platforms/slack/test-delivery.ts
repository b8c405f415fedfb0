import { hexHmac } from "../../core/hex-hmac.ts"
import type { Secret, TestDelivery } from "../../core/platform.ts"

/** An event of a kind that Slack does not have: `slack.signalbox_test.received`. */
export function testDelivery(secret: Secret, at: Date): TestDelivery {
  const seconds = Math.floor(at.getTime() / 1000)
  const body = Buffer.from(
    JSON.stringify({
      type: "event_callback",
      event_id: `signalbox-test-${at.getTime()}`,
      event_time: seconds,
      event: {
        type: "signalbox_test",
        text: "A test sent by signalbox: nothing happened.",
        event_ts: `${seconds}.000000`,
      },
    }),
  )
  return {
    headers: {
      "content-type": "application/json",
      "user-agent": "signalbox-test",
      "x-slack-request-timestamp": String(seconds),
      "x-slack-signature": `v0=${hexHmac(secret.value, `v0:${seconds}:`, body)}`,
    },
    body,
  }
}
