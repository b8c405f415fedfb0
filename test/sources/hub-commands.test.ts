import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, expect, it } from "vitest"
import { sourcesCommand } from "../../src/cli/commands/sources/index.ts"
import { runCommand } from "../support/run-command.ts"

// What answers instead of a hub, one answer a look at the ledgers, the last for good.
let answers: unknown[] = []
const server = createServer((request, response) => {
  const isLook = request.method === "GET"
  const answer = isLook && answers.length > 1 ? answers.shift() : answers[0]
  response.end(typeof answer === "string" ? answer : JSON.stringify(isLook ? answer : {}))
})
server.listen(0, "127.0.0.1")
await once(server, "listening")
afterAll(() => server.close())
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const run = (...args: string[]) =>
  runCommand(sourcesCommand, [...args, "--url", url], { SIGNALBOX_API_KEY: "a key" })

const ledger = {
  platform: "github",
  source: "default",
  summary: "complete through noon",
  problem: null as string | null,
  progress: null as string | null,
  askable: true,
  wanted: false,
  running: false,
  repaired: 0,
  open: 0,
}
const look = (now: Partial<typeof ledger>) => ({ sources: [{ ...ledger, ...now }], nextCursor: null })

it("a sweep that lets others have their turn is followed until it has come to its end", async () => {
  answers = [look({}), look({ running: true }), look({ progress: "half way" }), look({ summary: "the end" })]
  const { status, lines } = await run("reconcile", "github", "--follow")
  expect(status).toBe(0)
  expect(lines.at(-1)).toMatch(/the end$/)
  answers = [look({}), look({ progress: "half way", problem: "the token has expired" })]
  expect(await run("reconcile", "github", "--follow")).toMatchObject({ status: 1 })
})

it.each(["<html>", JSON.stringify({ other: "service" })])(
  "what is no hub is said to be none, and where to look: %s",
  async (answer) => {
    answers = [answer]
    await expect(run("completeness")).rejects.toMatchObject({
      code: "unavailable",
      message: `what answers at ${url} is no signalbox: name the hub with --url`,
    })
  },
)

it("a key that no header can carry is refused, and not said", async () => {
  const refused = run("completeness", "--key", "secret\nkey")
  await expect(refused).rejects.toMatchObject({
    code: "configuration",
    message: expect.not.stringContaining("secret") as string,
  })
})
