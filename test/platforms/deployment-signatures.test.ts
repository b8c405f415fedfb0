import { createHash, createHmac, generateKeyPairSync, sign as signWith } from "node:crypto"
import { describe, expect, test } from "vitest"
import { deployment } from "../../src/platforms/deployment/index.ts"

const now = new Date("2026-11-21T12:00:00Z")

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url")

function verify(
  sender: string,
  headers: Record<string, string>,
  body: string | Buffer,
  ...secrets: string[]
) {
  const request = { sender, headers, body: Buffer.from(body), receivedAt: now }
  return deployment.verify(
    request,
    secrets.map((value, index) => ({ id: `s${index}`, value })),
  )
}

describe("signatures made elsewhere (openssl dgst -hmac) are believed", () => {
  const body = '{"id":"evt_1","type":"deployment.created"}'

  test("Vercel's", () => {
    const headers = { "x-vercel-signature": "a032cfebf1f4fe0acba7c61898923a71ff618d05" }
    expect(verify("vercel", headers, body, "vercel-secret-1")).toEqual({ ok: true, secretId: "s0" })
    expect(verify("vercel", headers, body, "vercel-secret-2")).toMatchObject({ code: "signature_mismatch" })
  })

  test("Heroku's", () => {
    const headers = { "heroku-webhook-hmac-sha256": "rulpJp1WHmyrodI/tc6tSQUctGXC85+IZkKWszKAikY=" }
    expect(verify("heroku", headers, body, "other-secret", "heroku-secret-1")).toEqual({
      ok: true,
      secretId: "s1",
    })
    // the same bytes, written otherwise
    const loose = { "heroku-webhook-hmac-sha256": "rulpJp1WHmyrodI/tc6tSQUctGXC85+IZkKWszKAikZ=" }
    expect(verify("heroku", loose, body, "heroku-secret-1")).toMatchObject({ code: "signature_malformed" })
  })

  test("Netlify's", () => {
    const token =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJuZXRsaWZ5Iiwic2hhMjU2IjoiNzc2MjFlNTg5MjM3MGY4YjM2YTAzNGI5MWI3ZjgwNjc4MTBjNzQxY2I3YjNlOTQxMDJjNjlhMjZlNzQ2YjRhOCJ9.QrvNiMfYlgs-HUnOVPrHe4E-pXE7b-WG8aHxcq_TQ3A"
    const headers = { "x-webhook-signature": token }
    expect(verify("netlify", headers, body, "netlify-secret-1")).toEqual({ ok: true, secretId: "s0" })
    expect(verify("netlify", headers, `${body} `, "netlify-secret-1")).toMatchObject({
      code: "signature_mismatch",
    })
  })

  test("Render's, by the vector of Standard Webhooks", () => {
    const headers = {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    const request = { sender: "render", headers, body: Buffer.from('{"test": 2432232314}') }
    const secrets = [{ id: "s0", value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }]
    const receivedAt = new Date(1614265330_000)
    expect(deployment.verify({ ...request, receivedAt }, secrets)).toEqual({ ok: true, secretId: "s0" })
  })
})

describe("Netlify's token", () => {
  const body = '{"id":"6ab1"}'
  const secret = "netlify-secret-1"
  const good = { iss: "netlify", sha256: createHash("sha256").update(body).digest("hex") }
  const seconds = now.getTime() / 1000

  function token(claims: unknown, header: unknown = { alg: "HS256" }): string {
    const content = `${encode(header)}.${encode(claims)}`
    return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`
  }
  const check = (signature: string) => verify("netlify", { "x-webhook-signature": signature }, body, secret)

  test.each([
    [token(good)],
    [token(good, { alg: "HS256", typ: "anything" })],
    [token({ ...good, sha256: good.sha256.toUpperCase() })],
    [token({ ...good, exp: seconds + 10, nbf: seconds - 10, iat: 0 })],
    [token({ ...good, exp: seconds - 30, nbf: seconds + 30 })], // clocks differ
  ])("%s is believed", (signature) => {
    expect(check(signature)).toEqual({ ok: true, secretId: "s0" })
  })

  test.each([
    ["of another issuer", token({ ...good, iss: "someone" }), "signature_mismatch"],
    ["without an issuer", token({ sha256: good.sha256 }), "signature_mismatch"],
    ["without a hash", token({ iss: "netlify" }), "signature_malformed"],
    ["with a hash of the wrong kind", token({ ...good, sha256: [good.sha256] }), "signature_malformed"],
    ["with the hash of another body", token({ ...good, sha256: "0".repeat(64) }), "signature_mismatch"],
    ["expired", token({ ...good, exp: seconds - 61 }), "timestamp_outside_tolerance"],
    ["of an expiry that is no time", token({ ...good, exp: "never" }), "timestamp_outside_tolerance"],
    ["of the future", token({ ...good, nbf: seconds + 61 }), "timestamp_outside_tolerance"],
    ["whose claims are no object", token(["netlify"]), "signature_mismatch"],
    ["of alg none", token(good, { alg: "none" }), "signature_malformed"],
    ["of alg none, unsigned", `${encode({ alg: "none" })}.${encode(good)}.`, "signature_malformed"],
    ["of alg HS512", token(good, { alg: "HS512" }), "signature_malformed"],
    ["of alg hs256", token(good, { alg: "hs256" }), "signature_malformed"],
    ["without alg", token(good, {}), "signature_malformed"],
    [
      "with a critical extension",
      token(good, { alg: "HS256", crit: ["b64"], b64: false }),
      "signature_malformed",
    ],
    ["unsigned", `${encode({ alg: "HS256" })}.${encode(good)}.`, "signature_malformed"],
    ["of two parts", `${encode({ alg: "HS256" })}.${encode(good)}`, "signature_malformed"],
    ["of four parts", `${token(good)}.x`, "signature_malformed"],
    ["that is huge", token({ ...good, pad: "x".repeat(5_000) }), "signature_malformed"],
  ])("%s is refused", (_, signature, code) => {
    expect(check(signature)).toMatchObject({ ok: false, code })
  })

  test("of RS256 is refused, though it is signed", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
    const content = `${encode({ alg: "RS256" })}.${encode(good)}`
    const signature = signWith("sha256", Buffer.from(content), privateKey).toString("base64url")
    expect(check(`${content}.${signature}`)).toMatchObject({ code: "signature_malformed" })
  })
})

describe("a shared secret", () => {
  const token = "a-token-of-some-length"
  test.each([
    ["a token", token, { authorization: `Bearer ${token}` }],
    ["a token, the scheme in any case", token, { authorization: `bearer  ${token}` }],
    ["a header", `X-Webhook-Secret: ${token}`, { "x-webhook-secret": token }],
    ["a header with its scheme", `Authorization: Basic ${token}`, { authorization: `Basic ${token}` }],
  ])("that is %s is looked for where it is sent", (_, secret, headers) => {
    for (const sender of ["generic", "argocd", "railway", "cloudevents"]) {
      expect(verify(sender, headers, "{}", "another-token-of-length", secret)).toEqual({
        ok: true,
        secretId: "s1",
      })
    }
  })

  test.each([
    ["no header", token, {}, "signature_missing"],
    ["an empty one", token, { authorization: "" }, "signature_missing"],
    [
      "another header",
      `X-Webhook-Secret: ${token}`,
      { authorization: `Bearer ${token}` },
      "signature_missing",
    ],
    ["the token bare", token, { authorization: token }, "signature_mismatch"],
    ["another scheme", token, { authorization: `Basic ${token}` }, "signature_mismatch"],
    ["the beginning of it", token, { authorization: `Bearer ${token.slice(0, -1)}` }, "signature_mismatch"],
    ["more than it", token, { authorization: `Bearer ${token}x` }, "signature_mismatch"],
    ["a secret too short to be one", "short", { authorization: "Bearer short" }, "signature_mismatch"],
  ])("is not met by %s", (_, secret, headers, code) => {
    expect(verify("generic", headers, "{}", secret)).toMatchObject({ ok: false, code })
  })

  test("that signs is never taken as a token", () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    expect(verify("generic", { authorization: `Bearer ${secret}` }, "{}", secret)).toMatchObject({
      ok: false,
    })
  })

  test.each([
    ["vercel", "sound-secret", null],
    ["vercel", "short", /8 characters/],
    ["heroku", "with blanks in it", /without blanks/],
    ["netlify", "sound-secret", null],
    ["render", "not-a-signing-secret", /whsec_/],
    ["generic", token, null],
    ["generic", `X-Secret: ${token}`, null],
    ["generic", "X-Secret: short", /16 characters/],
    ["generic", "two words of a token", /without blanks/],
    ["generic", "tökenwithsomeletters", /ASCII/],
    ["argocd", "whsec_short", /24 to 64 bytes|base64/],
    ["pigeon", token, /does not know/],
    [undefined, token, /whsec_/],
  ])("for %s, %j is checked when it is set", (sender, secret, problem) => {
    const said = deployment.checkSecret?.(secret, sender) ?? ""
    expect(said).toMatch(problem ?? /^$/)
    expect(said).not.toContain(secret)
  })
})
