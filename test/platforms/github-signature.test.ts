import { expect, it } from "vitest"
import { github } from "../../src/platforms/github/index.ts"

const secret = { id: "docs", value: "It's a Secret to Everybody" }
const body = Buffer.from("Hello, World!")
const digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

function verify(header: string | undefined, secrets = [secret], bytes = body) {
  const headers: Record<string, string> = header === undefined ? {} : { "x-hub-signature-256": header }
  return github.verify({ headers, body: bytes, receivedAt: new Date(0) }, secrets)
}

it("the signature of GitHub's own documentation is accepted", () => {
  expect(verify(`sha256=${digest}`)).toEqual({ ok: true, secretId: "docs" })
})

it("while a secret is rotated, both are accepted and the one that matched is told", () => {
  const rotating = [{ id: "new", value: "another one" }, secret]
  expect(verify(`sha256=${digest}`, rotating)).toEqual({ ok: true, secretId: "docs" })
})

it.each([
  ["missing", undefined, "signature_missing"],
  ["empty", "", "signature_missing"],
  ["without its digest", "sha256=", "signature_malformed"],
  ["without its scheme", digest, "signature_malformed"],
  ["of SHA-1", "sha1=d62a4a2d1f0a4c3a0a1a5b0e7d6d4a6b9d8d7f11", "signature_malformed"],
  ["in upper case", `sha256=${digest.toUpperCase()}`, "signature_malformed"],
  ["with its scheme in upper case", `SHA256=${digest}`, "signature_malformed"],
  ["truncated", `sha256=${digest.slice(0, 62)}`, "signature_malformed"],
  ["too long", `sha256=${digest}00`, "signature_malformed"],
  ["not hexadecimal", `sha256=${"z".repeat(64)}`, "signature_malformed"],
  ["followed by a line break", `sha256=${digest}\n`, "signature_malformed"],
  ["of another body", `sha256=${"0".repeat(64)}`, "signature_mismatch"],
])("a signature that is %s is refused", (_, header, code) => {
  expect(verify(header)).toMatchObject({ ok: false, code })
})

it("the reason given for a refusal reveals neither body nor secret nor the right signature", () => {
  for (const header of [undefined, "sha256=", `sha256=${"0".repeat(64)}`]) {
    const text = JSON.stringify(verify(header))
    expect(text).not.toContain("Hello")
    expect(text).not.toContain("Everybody")
    expect(text).not.toContain(digest)
  }
})

it("an empty body is checked like any other", () => {
  expect(verify(`sha256=${digest}`, [secret], Buffer.alloc(0))).toMatchObject({ code: "signature_mismatch" })
})
