import { expect, it } from "vitest"
import { statusCommand } from "../../src/cli/commands/status.ts"
import { loadSigner, signRequest } from "../support/fixtures.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"
import { createRepository, minute } from "./repository.ts"

const { url, json } = await startTestHub()
const signer = await loadSigner("github")
if (signer === null) throw new Error("GitHub signs its webhooks")

const repository = createRepository()
repository.deploy(1, repository.grow("main", "Begin for good"))
const squash = repository.squash(repository.open(42, "ENG-123: Limit requests"))
repository.deploy(2, squash)
const since = minute(repository.time())
const env = { SIGNALBOX_URL: url, SIGNALBOX_API_KEY: adminKey }

it("what comes by webhook is told by the API and the command, backwards or forwards", async () => {
  for (const { headers, payload } of repository.deliveries.toReversed()) {
    const signed = signRequest(
      {
        headers: { ...headers, "content-type": "application/json" },
        body: Buffer.from(JSON.stringify(payload)),
        receivedAt: new Date(),
      },
      signer,
    )
    const sent = await fetch(`${url}/webhooks/github`, {
      method: "POST",
      headers: signed.headers,
      body: new Uint8Array(signed.body),
    })
    expect(sent.status).toBe(202)
  }
  await expect
    .poll(async () => (await json("/api/v1/entities/linear:issue:ENG-123/status")).body.summary, {
      timeout: 20_000,
    })
    .toBe(`merged, live in production since ${since}`)

  const { status, lines } = await runCommand(statusCommand, ["eng-123"], env)
  expect([status, lines]).toEqual([
    0,
    [
      "linear:issue:ENG-123",
      `merged, live in production since ${since}`,
      `  live in production of acme/api since ${new Date(since).toISOString()} by deployment:github/2 (${squash.sha.slice(0, 10)})`,
      "  github:pull_request:acme/api#42: merged",
      expect.stringMatching(
        /^ {2}known only because acme\/api#42, .* mention it: no event of its own has been heard$/,
      ),
    ],
  ])
  for (const name of ["acme/api#42", squash.sha, "github:pull_request:acme/api#42"]) {
    const { lines: printed } = await runCommand(statusCommand, [name, "--json"], env)
    expect(JSON.parse(printed.join(""))).toMatchObject({ live: [{ environment: "production" }] })
  }
})

it("a name that is none, and a key of which nothing is known, are told apart", async () => {
  await expect(runCommand(statusCommand, ["limits"], env)).rejects.toThrow("names nothing: give an issue")
  await expect(runCommand(statusCommand, ["ENG-999"], env)).rejects.toThrow(
    "nothing is known of linear:issue:ENG-999",
  )
})
