import { Hono } from "hono"
import { HTTPException } from "hono/http-exception"
import { expect, test } from "vitest"
import { problemHandlers } from "../../src/api/problem.ts"
import { SignalboxError } from "../../src/core/errors.ts"
import type { Log } from "../../src/core/log.ts"

const lines: { level: string; fields: object }[] = []
const record = (level: string) => (fields: object) => void lines.push({ level, fields })
const log: Log = {
  debug: record("debug"),
  info: record("info"),
  warn: record("warn"),
  error: record("error"),
  child: () => log,
}

async function answerTo(error: Error) {
  lines.length = 0
  const app = new Hono().get("/", () => {
    throw error
  })
  const { onError, notFound } = problemHandlers(log)
  app.onError(onError)
  app.notFound(notFound)
  const response = await app.request("/")
  const problem: unknown = await response.json()
  return { status: response.status, headers: response.headers, problem }
}

test("an error of ours is told as it is", async () => {
  const { status, headers, problem } = await answerTo(
    new SignalboxError("too_many_requests", "slow down", { retryAfter: 1.2 }),
  )
  expect(status).toBe(429)
  expect(headers.get("content-type")).toBe("application/problem+json")
  expect(headers.get("retry-after")).toBe("2")
  expect(problem).toEqual({
    type: "urn:signalbox:problem:too_many_requests",
    title: "Too many requests",
    status: 429,
    detail: "slow down",
    code: "too_many_requests",
  })
  expect(lines).toEqual([])
})

test("nothing of an unexpected error is sent, and all of it is logged under the name that is sent", async () => {
  const error = new TypeError("password=hunter2 at /srv/secret.ts")
  const { status, problem } = await answerTo(error)
  expect(status).toBe(500)
  expect(problem).toMatchObject({ code: "internal", instance: expect.stringMatching(/^urn:uuid:/) })
  expect(JSON.stringify(problem)).not.toMatch(/hunter2|secret\.ts|TypeError/)
  expect(lines).toEqual([
    { level: "error", fields: expect.objectContaining({ err: error, instance: Object(problem).instance }) },
  ])
})

test("the cause of an error of ours is logged and not sent", async () => {
  const cause = new Error("connect ECONNREFUSED 10.0.0.7:5432")
  const { status, headers, problem } = await answerTo(
    new SignalboxError("unavailable", "the database cannot be reached", { retryAfter: 5, cause }),
  )
  expect(status).toBe(503)
  expect(headers.get("retry-after")).toBe("5")
  expect(JSON.stringify(problem)).not.toContain("10.0.0.7")
  expect(lines).toEqual([{ level: "warn", fields: expect.objectContaining({ err: cause }) }])
})

test("errors of the framework keep their status", async () => {
  expect(await answerTo(new HTTPException(400, { message: "Malformed JSON in request body" }))).toMatchObject(
    {
      status: 400,
      problem: { code: "bad_request", detail: "Malformed JSON in request body" },
    },
  )
  expect(await answerTo(new HTTPException(418))).toMatchObject({ status: 500, problem: { code: "internal" } })
})

test("a 401 names a way to authenticate", async () => {
  const { headers } = await answerTo(new SignalboxError("unauthenticated", "who are you?"))
  expect(headers.get("www-authenticate")).toBe("Bearer")
})

test("an unknown path is a problem too", async () => {
  const app = new Hono().notFound(problemHandlers(log).notFound)
  const response = await app.request("/nowhere")
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({
    code: "not_found",
    detail: "there is nothing at GET /nowhere",
  })
})
