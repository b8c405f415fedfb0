import { createHmac } from "node:crypto"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { githubHeaders, githubSecret, jsonOf, starBody } from "./support/github-sender.ts"
import { postHead, readAnswer, sendBytes } from "./support/raw-request.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const maxBodyBytes = 4096
const { url, port } = await startIngest({
  database,
  secrets: { github: [githubSecret] },
  maxBodyBytes,
  bodyTimeoutMs: 300,
})
const body = starBody()

interface Refusal {
  status: number
  code: string
}

async function expectRefusal(
  response: Response,
  { status, code }: Refusal,
): Promise<Record<string, unknown>> {
  expect(response.headers.get("content-type")).toBe("application/problem+json")
  const problem = await jsonOf(response)
  expect(problem).toEqual({
    type: `urn:signalbox:problem:${code}`,
    title: expect.stringMatching(/^[A-Z][a-z ]+$/),
    status,
    detail: expect.stringMatching(/\S/),
    code,
  })
  expect(response.status).toBe(status)
  return problem
}

function post(path: string, headers: Record<string, string>, content: Buffer = body): Promise<Response> {
  return fetch(url + path, { method: "POST", headers, body: new Uint8Array(content) })
}

/** A correctly signed delivery with some of its headers changed; `undefined` takes one away. */
function signed(
  changes: Readonly<Record<string, string | undefined>>,
  content: Buffer = body,
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries({
    ...githubHeaders({ event: "star", body: content }),
    ...changes,
  })) {
    if (value !== undefined) headers[name] = value
  }
  return headers
}

const hex = createHmac("sha256", githubSecret).update(body).digest("hex")
const otherHex = createHmac("sha256", "another secret").update(body).digest("hex")

test.each([
  ["missing", undefined, "signature_missing"],
  ["empty", "", "signature_missing"],
  ["wrong", `sha256=${otherHex}`, "signature_mismatch"],
  ["of another scheme", `sha1=${hex}`, "signature_malformed"],
  ["without its scheme", hex, "signature_malformed"],
  ["truncated", `sha256=${hex.slice(0, 63)}`, "signature_malformed"],
  ["too long", `sha256=${hex}0`, "signature_malformed"],
  ["not hexadecimal", `sha256=${hex.slice(0, 63)}g`, "signature_malformed"],
  ["upper-case", `sha256=${hex.toUpperCase().replace(/^./, "A")}`, "signature_malformed"],
  ["sent twice", `sha256=${hex}, sha256=${hex}`, "signature_malformed"],
])("a signature that is %s is a 401", async (_, signature, code) => {
  const response = await post("/webhooks/github", signed({ "x-hub-signature-256": signature }))
  await expectRefusal(response, { status: 401, code })
  expect(response.headers.get("www-authenticate")).toBe("Signature")
})

test("a body that was changed on its way is a 401", async () => {
  const changed = Buffer.from(body.toString().replace("dev", "eve"))
  await expectRefusal(await post("/webhooks/github", signed({}), changed), {
    status: 401,
    code: "signature_mismatch",
  })
})

test("an unknown platform is a 404", async () => {
  for (const path of [
    "/webhooks/gitlab",
    "/webhooks/__proto__",
    "/webhooks/constructor",
    "/webhooks/gitlab/default",
  ]) {
    await expectRefusal(await post(path, signed({})), { status: 404, code: "unknown_platform" })
  }
})

test("an unknown source is a 404", async () => {
  await expectRefusal(await post("/webhooks/github/elsewhere", signed({})), {
    status: 404,
    code: "not_found",
  })
})

test("a platform without a secret is a 404 that names its variable", async () => {
  const problem = await expectRefusal(await post("/webhooks/linear", signed({})), {
    status: 404,
    code: "source_off",
  })
  expect(problem["detail"]).toContain("LINEAR_WEBHOOK_SECRET")
})

test("an unknown path and another method are a 404", async () => {
  await expectRefusal(await post("/webhooks", signed({})), { status: 404, code: "not_found" })
  await expectRefusal(await fetch(`${url}/webhooks/github`), { status: 404, code: "not_found" })
})

test("a body that is announced as too large is a 413 before any of it is read", async () => {
  const headers = { ...signed({}), "content-length": String(maxBodyBytes + 1) }
  const socket = await sendBytes(port, postHead("/webhooks/github", headers))
  const answer = await readAnswer(socket)
  socket.destroy()
  expect(answer).toMatchObject({ status: 413, head: expect.stringContaining("application/problem+json") })
  expect(JSON.parse(answer.body)).toMatchObject({ status: 413, code: "too_large" })
})

test("a body that turns out too large is a 413", async () => {
  const chunk = `1000\r\n${"x".repeat(0x1000)}\r\n`
  const headers = { ...signed({}), "transfer-encoding": "chunked" }
  const socket = await sendBytes(port, postHead("/webhooks/github", headers), chunk, chunk)
  const answer = await readAnswer(socket)
  socket.destroy()
  expect(JSON.parse(answer.body)).toMatchObject({ status: 413, code: "too_large" })
})

test("a body of exactly the largest size is no 413", async () => {
  const largest = Buffer.alloc(maxBodyBytes, " ")
  await expectRefusal(await post("/webhooks/github", signed({}, largest), largest), {
    status: 400,
    code: "malformed_json",
  })
})

test.each([
  ["cut short", Buffer.from('{"action":"created"')],
  ["empty", Buffer.from("")],
  ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ["with a byte order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body])],
  ["with a real NUL", Buffer.from('{"action":"cre\0ated"}')],
])("signed JSON that is %s is a 400", async (_, malformed) => {
  await expectRefusal(await post("/webhooks/github", signed({}, malformed), malformed), {
    status: 400,
    code: "malformed_json",
  })
})

test("a signed body that is not the event its headers claim is a 400", async () => {
  for (const changes of [
    { "x-github-event": "pull_request" },
    { "x-github-event": undefined },
    { "x-github-event": "__proto__" },
    { "x-github-delivery": undefined },
    { "x-github-delivery": "'; drop table events; --" },
  ]) {
    await expectRefusal(await post("/webhooks/github", signed(changes)), { status: 400, code: "bad_request" })
  }
})

test.each(["zstd", "compress", "gzip, br", "gzip, identity", "__proto__"])(
  "Content-Encoding %s is a 415 that says what is taken",
  async (encoding) => {
    const headers = { ...signed({}), "content-encoding": encoding }
    const response = await post("/webhooks/github", headers)
    await expectRefusal(response, { status: 415, code: "unsupported_encoding" })
    expect(response.headers.get("accept-encoding")).toBe("gzip, deflate, br")
  },
)

test("a header that a decision hangs on and that came twice is a 400", async () => {
  const whole = signed({ "content-length": String(body.length) })
  for (const name of ["x-hub-signature-256", "x-github-event", "x-github-delivery", "content-type"]) {
    const again = `${name}: ${String(whole[name])}\r\n\r\n`
    const socket = await sendBytes(port, postHead("/webhooks/github", whole).slice(0, -2), again, body)
    const answer = await readAnswer(socket)
    socket.destroy()
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 400,
      code: "bad_request",
      detail: `the header ${name} came more than once`,
    })
  }
})

test.each(["text/plain", "application/xml", "multipart/form-data; boundary=x", "json"])(
  "Content-Type %s is a 415",
  async (contentType) => {
    const response = await post("/webhooks/github", signed({ "content-type": contentType }))
    await expectRefusal(response, { status: 415, code: "unsupported_media_type" })
  },
)

test("a missing Content-Type is a 415", async () => {
  const headers = { ...signed({ "content-type": undefined }), "content-length": String(body.length) }
  const socket = await sendBytes(port, postHead("/webhooks/github", headers), body)
  const answer = await readAnswer(socket)
  socket.destroy()
  expect(JSON.parse(answer.body)).toMatchObject({ status: 415, code: "unsupported_media_type" })
})

test("a body that never arrives is a 408 and not a connection held for ever", async () => {
  const headers = { ...signed({}), "content-length": String(body.length) }
  const socket = await sendBytes(port, postHead("/webhooks/github", headers), body.subarray(0, 10))
  const answer = await readAnswer(socket)
  socket.destroy()
  expect(JSON.parse(answer.body)).toMatchObject({ status: 408, code: "bad_request" })
})

test("a sender that hangs up in the middle leaves nothing, and the server goes on", async () => {
  const headers = { ...signed({}), "content-length": String(body.length) }
  for (let sent = 0; sent < body.length; sent += 40) {
    const socket = await sendBytes(port, postHead("/webhooks/github", headers), body.subarray(0, sent))
    socket.resetAndDestroy()
  }
  await expectRefusal(await post("/webhooks/github", signed({}, Buffer.from("{")), Buffer.from("{")), {
    status: 400,
    code: "malformed_json",
  })
})

test("none of all these refusals left a row", async () => {
  const { rows } = await database.work.query(
    "select (select count(*) from events) + (select count(*) from event_keys) as rows",
  )
  expect(rows).toEqual([{ rows: 0 }])
})
