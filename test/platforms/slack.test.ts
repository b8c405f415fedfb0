import * as fc from "fast-check"
import { describe, expect, expectTypeOf, test } from "vitest"
import { SignalboxError } from "../../src/core/errors.ts"
import type { SlackEvents } from "../../src/platforms/slack/events.ts"
import { slack } from "../../src/platforms/slack/index.ts"
import { plainText } from "../../src/platforms/slack/plain-text.ts"
import { type Fixture, loadFixtures, loadSigner, messageOf, signRequest } from "../support/fixtures.ts"

const fixtures = loadFixtures("slack")
const signer = await loadSigner("slack")
if (signer === null) throw new Error("no signer")
const { secrets: values } = signer
const secrets = values.map((value, index) => ({ id: `s${index}`, value }))

function fixture(shape: string): Fixture {
  const found = fixtures.find((one) => one.shape === shape)
  if (found === undefined) throw new Error(`no fixture ${shape}`)
  return found
}

function message(payload: unknown, contentType = "application/json") {
  return { headers: {}, contentType, payload, receivedAt: new Date("2026-11-21T12:00:00Z") }
}

const form = "application/x-www-form-urlencoded"

describe("Slack's signature", () => {
  const signed = signRequest(fixture("message").request, signer)
  const withTime = (stamp: string) => ({
    ...signed,
    headers: { ...signed.headers, "x-slack-request-timestamp": stamp },
  })

  test("the published example verifies", () => {
    const body =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    const headers = {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    const receivedAt = new Date(1531420618_000)
    const published = [{ id: "published", value: "8f742231b10e8888abcd99yyyzzz85a5" }]
    expect(slack.verify({ headers, body: Buffer.from(body), receivedAt }, published)).toEqual({
      ok: true,
      secretId: "published",
    })
  })

  test("is good for 300 s either way, and not a second longer", () => {
    const verified = [-301, -300, 0, 300, 301].map((seconds) => {
      const receivedAt = new Date(signed.receivedAt.getTime() + seconds * 1000)
      return slack.verify({ ...signed, receivedAt }, secrets)
    })
    expect(verified.map(({ ok }) => ok)).toEqual([false, true, true, true, false])
    expect(verified[0]).toMatchObject({ code: "timestamp_outside_tolerance" })
  })

  test.each(["abc", "1795262400.5", "-1", " 1795262400", "1795262400,1795262400", "0x6b010000", "NaN"])(
    "with the time %j is malformed",
    (stamp) => {
      expect(slack.verify(withTime(stamp), secrets)).toMatchObject({ code: "signature_malformed" })
    },
  )

  test("without a time is missing", () => {
    expect(slack.verify(withTime(""), secrets)).toMatchObject({ code: "signature_missing" })
  })

  test("covers the time: another one within the tolerance does not pass", () => {
    expect(slack.verify(withTime("1795262401"), secrets)).toMatchObject({ code: "signature_mismatch" })
  })
})

describe("Slack's questions", () => {
  const challenge = message({ type: "url_verification", challenge: "abc" })

  test("url_verification is answered to the signed alone", () => {
    expect(slack.handshake?.(challenge, false) ?? null).toBeNull()
    expect(slack.handshake?.(challenge, true)).toEqual({ status: 200, body: { challenge: "abc" } })
  })

  test("ssl_check is answered signed or not, and only as a form", () => {
    for (const verified of [true, false]) {
      expect(slack.handshake?.(message({ ssl_check: "1" }, form), verified)).toEqual({
        status: 200,
        body: null,
      })
    }
    expect(slack.handshake?.(message({ ssl_check: "1" }), false) ?? null).toBeNull()
    expect(slack.handshake?.(message({ ssl_check: "0" }, form), false) ?? null).toBeNull()
  })

  test("nothing else is answered before it is verified", () => {
    for (const { request, contentType, shape } of fixtures) {
      const reply = slack.handshake?.(messageOf(request, contentType), false) ?? null
      expect(reply, shape).toEqual(shape === "ssl-check" ? { status: 200, body: null } : null)
    }
  })

  test.each([undefined, null, 7, ["x"], "x".repeat(1025)])(
    "the challenge %j is a 400 and no event",
    (given) => {
      const asked = message({ type: "url_verification", challenge: given })
      expect(slack.handshake?.(asked, true) ?? null).toBeNull()
      expect(() => slack.identify(asked, Buffer.from(""))).toThrow(SignalboxError)
    },
  )
})

test.each([null, [], {}, { type: "event_callback" }, { type: "event_callback", event: { type: 7 } }])(
  "%j was signed all the same, and is taken",
  (payload) => {
    const identity = slack.identify(message(payload), Buffer.from(""))
    expect(identity).toMatchObject({ name: "unknown", type: "slack.unknown.received" })
  },
)

test("a message, its mention and its links are three events about one thing", () => {
  const read = ["message", "app-mention", "link-shared"].map((shape) => {
    const { request, contentType } = fixture(shape)
    const one = messageOf(request, contentType)
    return { key: slack.identify(one, request.body).key, entity: slack.normalize(one).entity }
  })
  expect(new Set(read.map(({ key }) => key)).size).toBe(3)
  expect(new Set(read.map(({ entity }) => entity))).toEqual(
    new Set(["slack:message:T1/C1/1795262399.000100"]),
  )
})

describe("addresses of messages", () => {
  test.each([
    ["https://acme.slack.com/archives/C1/p1700000000000100", "slack:message:*/C1/1700000000.000100"],
    [
      "https://acme.slack.com/archives/C024BE91L/p1358546515000008?thread_ts=1358546500.000001&cid=C024BE91L",
      "slack:message:*/C024BE91L/1358546515.000008",
    ],
    [
      "https://acme.enterprise.slack.com/archives/C1/p1700000000000100",
      "slack:message:*/C1/1700000000.000100",
    ],
    [
      "https://app.slack.com/client/T1/C1/thread/C1-1700000000.000100",
      "slack:message:T1/C1/1700000000.000100",
    ],
    ["https://app.slack.com/client/T1/C1/thread/C2-1700000000.000100", null],
    ["https://app.slack.com/client/T1/C1", null],
    ["https://acme.slack.com/archives/C1", null],
    ["https://acme.slack.com/archives/C1/1700000000000100", null],
    ["https://acme.slack.com/archives/C1/p17", null],
    ["https://acme.slack.com/files/U1/F1/x.png", null],
    ["https://slack.com/archives/C1/p1700000000000100", null],
    ["https://acme-slack.com/archives/C1/p1700000000000100", null],
    ["https://acme.slack.com.example.com/archives/C1/p1700000000000100", null],
  ])("%s leads to %s", (address, entity) => {
    expect(slack.entityFromUrl?.(new URL(address)) ?? null).toBe(entity)
  })

  test("lead to what every event on that message says it is, whatever came first and from whichever team", () => {
    const ts = fc
      .tuple(fc.nat(2_000_000_000), fc.nat(999_999))
      .map(([seconds, micros]) => `${seconds}.${String(micros).padStart(6, "0")}`)
    const id = fc.stringMatching(/^[A-Z][A-Z0-9]{1,8}$/)
    fc.assert(
      fc.property(id, id, ts, ts, fc.boolean(), (team, channel, at, root, isReply) => {
        const threaded = isReply && root !== at ? { thread_ts: root } : {}
        const { entity, references } = slack.normalize(
          message({
            type: "event_callback",
            team_id: team,
            event: { type: "message", channel, ts: at, text: "x", ...threaded },
          }),
        )
        const same = references
          .filter(({ relation }) => relation === "same_as")
          .map((reference) => [reference.subject ?? entity, reference.entity])
        const address = (one: string) =>
          slack.entityFromUrl?.(
            new URL(`https://acme.slack.com/archives/${channel}/p${one.replace(".", "")}`),
          ) ?? null
        const concerned = "thread_ts" in threaded ? [at, root] : [at]
        for (const one of concerned.filter((stamp) => stamp.length >= 9)) {
          expect(same).toContainEqual([`slack:message:${team}/${channel}/${one}`, address(one)])
        }
      }),
    )
  })
})

describe("Slack's text as people read it", () => {
  test.each([
    ["<https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2"],
    ["<https://x.example|the &lt;page&gt;>", "the <page>"],
    [
      "<@U1> <@U1|dev> <#C1|dev> <#C1> <!here> <!subteam^S1|@oncall> <!subteam^S1>",
      "@U1 @dev #dev #C1 @here @oncall @subteam",
    ],
    ["<!date^1392734382^{date}|Feb 18>", "Feb 18"],
    ["&amp;lt;b&amp;gt; &amp;amp;", "&lt;b&gt; &amp;"],
    ["a < b and c > d", "a < b and c > d"],
    ["&lt;@U1&gt; is no mention", "<@U1> is no mention"],
  ])("%j is %j", (written, read) => {
    expect(plainText(written)).toBe(read)
  })

  test("is given back whatever was escaped once", () => {
    fc.assert(
      fc.property(fc.string(), (said) => {
        const sent = said.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
        expect(plainText(sent)).toBe(said)
      }),
    )
  })
})

test("blocks nested without end are read as far as makes sense", () => {
  const depth = 50_000
  const blocks = JSON.parse(`${'{"elements":['.repeat(depth)}${"]}".repeat(depth)}`)
  const event = { type: "message", channel: "C1", ts: "1700000000.000100", text: "", blocks: [blocks] }
  expect(slack.normalize(message({ type: "event_callback", event })).texts).toEqual([])
})

test("thousands of links in one message are cut to a hundred", () => {
  const links = Array.from({ length: 3000 }, (_, index) => ({
    type: "link",
    url: `https://x.example/${index}`,
  }))
  const event = { type: "message", channel: "C1", ts: "1700000000.000100", blocks: [{ elements: links }] }
  expect(slack.normalize(message({ type: "event_callback", event })).texts).toHaveLength(100)
})

test("handlers get payloads typed by name", () => {
  expectTypeOf<SlackEvents["app_mention"]["event"]["text"]>().toEqualTypeOf<string>()
  expectTypeOf<SlackEvents["reaction_added"]["event"]["reaction"]>().toEqualTypeOf<string>()
  expectTypeOf<SlackEvents["message"]["event"]["type"]>().toEqualTypeOf<"message">()
  expectTypeOf<SlackEvents["/deploy"]["command"]>().toEqualTypeOf<string>()
  expectTypeOf<SlackEvents["view_submission"]["type"]>().toEqualTypeOf<"view_submission">()
  expectTypeOf<"app_mentioned">().not.toExtend<keyof SlackEvents>()
})
