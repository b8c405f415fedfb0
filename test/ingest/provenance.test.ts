import { randomUUID } from "node:crypto"
import { expect, test } from "vitest"
import { platforms } from "../../src/platforms/index.ts"
import { definePlatform, type InboundRequest, type Message } from "../../src/core/platform.ts"
import { testDatabase } from "../support/database.ts"
import { githubHeaders, githubSecret, sendGithub, starBody } from "./support/github-sender.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const asked: (string | undefined)[] = []

// As GitHub, but it takes note of the kind of sender that it is asked about.
const noting = platforms.map((platform) =>
  platform.name === "github"
    ? definePlatform({
        ...platform,
        verify: (request: InboundRequest, secrets) => {
          asked.push(request.sender)
          return platform.verify(request, secrets)
        },
        identify: (message: Message, body) => {
          asked.push(message.sender)
          return platform.identify(message, body)
        },
      })
    : platform,
)
const matched: string[] = []
const { url, ingest } = await startIngest({
  database,
  platforms: noting,
  secrets: {},
  sources: {
    find: (platform, name) => ({
      platform,
      name,
      tenant: "default",
      sender: "enterprise",
      secrets: [
        { id: "old", value: "another" },
        { id: "new", value: githubSecret },
      ],
    }),
    matched: (secretId) => matched.push(secretId),
  },
})

async function eventOf(guid: string): Promise<unknown> {
  const { rows } = await database.work.query(
    "select id, secret_id, sender, backfilled, headers, type, raw from events where delivery_id = $1",
    [guid],
  )
  expect(rows).toHaveLength(1)
  return rows[0]
}

test("a webhook's event says which secret verified it and which kind of sender it came from", async () => {
  const guid = randomUUID()
  await sendGithub(url, { event: "star", body: starBody(), guid })
  expect(await eventOf(guid)).toMatchObject({ secret_id: "new", sender: "enterprise", backfilled: false })
  expect(asked).toEqual(["enterprise", "enterprise"])
  expect(matched).toEqual(["new"])
})

test("a delivery made of the provider's record is identified as any other, and marked as backfilled", async () => {
  const guid = randomUUID()
  const body = starBody()
  const { "content-type": contentType = "", ...headers } = githubHeaders({ event: "star", body, guid })
  const recovered = { headers, contentType, body }
  const submission = { platform: "github", tenant: "default", source: "default", ...recovered }
  const receipt = await ingest.submit({ ...submission, sender: "enterprise", backfilled: true })
  expect(await eventOf(guid)).toEqual({
    id: receipt.eventId,
    secret_id: null,
    sender: "enterprise",
    backfilled: true,
    type: "github.star.created",
    headers: { "x-github-delivery": guid, "x-github-event": "star" },
    raw: body,
  })
  expect(receipt).toEqual({ eventId: receipt.eventId, duplicate: false, conflict: false })
})
