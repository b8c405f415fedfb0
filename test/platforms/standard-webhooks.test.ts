import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  generateWebhookSecret,
  signWebhook,
  verifyWebhook,
  webhookSecretProblem,
} from "../../src/core/standard-webhooks.ts"

// The vector published with the Standard Webhooks reference libraries.
const vector = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
const older = `whsec_${Buffer.alloc(32, 1).toString("base64")}`

interface Changes {
  headers?: Record<string, string | undefined>
  body?: string
  at?: number
  secrets?: string[]
}

function verifyVector({ headers = {}, body = vector.body, at = 0, secrets = [vector.secret] }: Changes = {}) {
  const all = {
    "webhook-id": vector.id,
    "webhook-timestamp": String(vector.timestamp),
    "webhook-signature": vector.signature,
    ...headers,
  }
  return verifyWebhook(
    {
      headers: Object.fromEntries(
        Object.entries(all).filter((entry): entry is [string, string] => !!entry[1]),
      ),
      body: Buffer.from(body),
      receivedAt: new Date((vector.timestamp + at) * 1000),
    },
    secrets.map((value, index) => ({ id: `s${index}`, value })),
  )
}

describe("Standard Webhooks", () => {
  test("signs the published vector", () => {
    expect(signWebhook(vector, [vector.secret])).toBe(vector.signature)
  })

  test("verifies the published vector and says which secret matched", () => {
    expect(verifyVector({ secrets: [older, vector.secret] })).toEqual({ ok: true, secretId: "s1" })
  })

  test("signs with every secret while one rotates, and either receiver finds its own", () => {
    const both = signWebhook(vector, [older, vector.secret])
    expect(both.split(" ")).toHaveLength(2)
    for (const secret of [older, vector.secret]) {
      expect(verifyVector({ headers: { "webhook-signature": both }, secrets: [secret] }).ok).toBe(true)
    }
  })

  test("passes over signature versions it does not know", () => {
    const signature = `v1a,${"A".repeat(86)}== v2,AAAA ${vector.signature}`
    expect(verifyVector({ headers: { "webhook-signature": signature } }).ok).toBe(true)
    expect(verifyVector({ headers: { "webhook-signature": "v1a,AAAA" } })).toMatchObject({
      code: "signature_malformed",
    })
  })

  test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])(
    "refuses a request without %s",
    (name) => {
      expect(verifyVector({ headers: { [name]: undefined } })).toMatchObject({
        ok: false,
        code: "signature_missing",
      })
    },
  )

  test.each([
    ["no base64", "v1,not base64 at all"],
    ["truncated", vector.signature.slice(0, -8)],
    ["hex", `v1,${"ab".repeat(32)}`],
    ["no version", vector.signature.slice(3)],
  ])("refuses a signature that is %s as malformed", (_, signature) => {
    expect(verifyVector({ headers: { "webhook-signature": signature } })).toMatchObject({
      code: "signature_malformed",
    })
  })

  test("refuses a changed body, id or timestamp", () => {
    for (const change of [
      { body: `${vector.body} ` },
      { headers: { "webhook-id": "msg_other" } },
      { headers: { "webhook-timestamp": String(vector.timestamp + 1) } },
      { secrets: [older] },
      { secrets: [] },
      { secrets: ["not a secret"] },
    ]) {
      expect(verifyVector(change)).toMatchObject({ ok: false, code: "signature_mismatch" })
    }
  })

  test("takes timestamps up to 300 s off, either way, and none beyond", () => {
    for (const at of [-300, 0, 300]) expect(verifyVector({ at }).ok).toBe(true)
    for (const at of [-301, 301, 1e9]) {
      expect(verifyVector({ at })).toMatchObject({ code: "timestamp_outside_tolerance" })
    }
  })

  test.each(["", "abc", "1.5", "-1614265330", "1614265330 ", "0x60", "1e9", "9".repeat(400)])(
    "refuses the timestamp %j before it compares anything",
    (stamp) => {
      expect(verifyVector({ headers: { "webhook-timestamp": stamp } }).ok).toBe(false)
    },
  )

  test("says what is wrong with a secret without showing it", () => {
    expect(webhookSecretProblem(vector.secret)).toBeNull()
    expect(webhookSecretProblem(older)).toBeNull()
    for (const bad of [
      "",
      "hunter2hunter2hunter2hunter2",
      "whsec_",
      "whsec_&&&&",
      "whsec_c2hvcnQ=",
      `whsec_${Buffer.alloc(65).toString("base64")}`,
    ]) {
      const problem = webhookSecretProblem(bad)
      expect(problem).toMatch(/^must /)
      expect(bad.length > 6 && problem?.includes(bad.slice(6))).toBe(false)
    }
  })

  test("refuses to sign with a malformed secret", () => {
    expect(() => signWebhook(vector, ["whsec_short"])).toThrow(RangeError)
  })

  test("verifies whatever it signs with a secret it made", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ minLength: 1 }), fc.nat(2 ** 31), (bytes, id, timestamp) => {
        const secret = generateWebhookSecret()
        const body = Buffer.from(bytes)
        const signature = signWebhook({ id, timestamp, body }, [secret])
        const headers = {
          "webhook-id": id,
          "webhook-timestamp": String(timestamp),
          "webhook-signature": signature,
        }
        const receivedAt = new Date(timestamp * 1000)
        const secrets = [{ id: "s", value: secret }]
        expect(verifyWebhook({ headers, body, receivedAt }, secrets).ok).toBe(true)
      }),
    )
  })
})
