import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { deploymentTable } from "../../src/core/deployment-detail.ts"
import { mediaType } from "../../src/core/payload.ts"
import type { Platform, Secret } from "../../src/core/platform.ts"
import { platforms } from "../../src/platforms/index.ts"
import { testDatabase } from "../support/database.ts"
import {
  type EventFixture,
  type Fixture,
  type Signer,
  isEvent,
  loadFixtures,
  loadSigner,
  messageOf,
  signRequest,
  storedMessageOf,
} from "../support/fixtures.ts"
import { expectNormalized, insertDetail } from "./support/expectation.ts"
import { anyJson, hardTexts, spoiled } from "./support/hostile.ts"
import { expectWellFormed, expectWellFormedKey, expectWellFormedMentions } from "./support/well-formed.ts"
import { attemptIdentity, expectWellFormedIdentity, expectWithstands } from "./support/withstand.ts"

/** One suite over every platform: whatever shared code relies on. See test/support/fixtures.ts for the form of fixtures. */
const database = await testDatabase()

const kinds = platforms.flatMap((platform) =>
  [undefined, ...(platform.senders ?? [])].map((sender) => ({ platform, sender })),
)

for (const { platform, sender } of kinds) {
  const label = sender === undefined ? platform.name : `${platform.name}, ${sender}`
  const fixtures = loadFixtures(platform.name, sender)
  const events = fixtures.filter(isEvent)
  const signer = await loadSigner(platform.name, sender)

  describe(`${label}: what is believed`, () => {
    const suite =
      signer === null
        ? () => believesNobody(platform, fixtures)
        : () => believesSigner(platform, fixtures, signer)
    suite()
  })

  describe(`${label}: what is made of it`, () => {
    it.each(events)("$shape is what its fixture says", (fixture) => {
      const message = messageOf(fixture.request, fixture.contentType)
      const { name, type, priority, key, state } = fixture.expect
      const { record, endpointHeader, ...identified } = platform.identify(message, fixture.request.body)
      const { state: told = record, ...identity } = identified
      expect(identity).toEqual({ name, type, priority, key: key ?? identity.key })
      expect(told ?? null).toBe(state === undefined ? (told ?? null) : state)
      // What is not kept could not be told apart later.
      expect([undefined, ...platform.keptHeaders]).toContain(endpointHeader)
      expectNormalized(platform, message, fixture.expect)
      expect(platform.handshake?.(message, true) ?? null).toBeNull()
      const { acknowledge = platform.acknowledge?.(message) ?? null } = fixture.expect
      expect(platform.acknowledge?.(message) ?? null).toEqual(acknowledge)
    })

    it.each(fixtures.filter((fixture) => !isEvent(fixture)))("$shape is answered at once", (fixture) => {
      const { expect: expected, request, contentType } = fixture
      expect(platform.handshake?.(messageOf(request, contentType), true)).toEqual(
        "handshake" in expected ? expected.handshake : null,
      )
    })

    it("the name, key and meaning of a delivery are the same each time it is read", () => {
      for (const { request, contentType } of events) {
        const read = () => {
          const message = messageOf(request, contentType)
          return [platform.identify(message, request.body), platform.normalize(message)]
        }
        expect(read()).toEqual(read())
      }
    })

    it("what is stored of a delivery is enough to read it again", () => {
      for (const { request, contentType } of events) {
        const arrived = messageOf(signer === null ? request : signRequest(request, signer), contentType)
        const stored = storedMessageOf(request, contentType, platform.keptHeaders)
        expect(platform.identify(stored, request.body)).toEqual(platform.identify(arrived, request.body))
        expect(platform.normalize(stored)).toEqual(platform.normalize(arrived))
      }
    })

    it("the event's type is the same at ingest and in processing", () => {
      for (const { request, contentType } of events) {
        const message = messageOf(request, contentType)
        expect(platform.normalize(message).type).toBe(platform.identify(message, request.body).type)
      }
    })

    it("two deliveries never share a key, unless they are one", () => {
      const shapes = Map.groupBy(events, (fixture) => keyOf(platform, fixture))
      const shared = [...shapes.values()].flatMap(([first, ...others]) =>
        others.map(({ shape, expect: { sameKeyAs } }) => ({ shape, sameKeyAs, first: first?.shape })),
      )
      expect(shared.filter(({ sameKeyAs }) => sameKeyAs === undefined)).toEqual([])
      const claimed = events.filter(({ expect: { sameKeyAs } }) => sameKeyAs !== undefined)
      for (const fixture of claimed) {
        const twin = events.find(({ shape }) => shape === fixture.expect.sameKeyAs)
        expect(twin && keyOf(platform, twin)).toBe(keyOf(platform, fixture))
      }
    })

    it("what comes of a fixture is well-formed", () => {
      for (const fixture of events) {
        const message = messageOf(fixture.request, fixture.contentType)
        expectWellFormedIdentity(platform.identify(message, fixture.request.body), platform)
        const normalized = platform.normalize(message)
        expectWellFormed(normalized, platform)
        for (const field of normalized.texts) {
          expectWellFormedMentions(platform.mentionsIn?.(field, normalized.entity) ?? [], field)
        }
      }
    })
  })

  describe(`${label}: what it withstands`, () => {
    it.each(events)(
      "$shape, spoiled, throws nothing but a clear refusal and stays well-formed",
      (fixture) => {
        const payload = messageOf(fixture.request, fixture.contentType).payload
        fc.assert(
          fc.property(
            fc.oneof({ weight: 4, arbitrary: spoiled(payload) }, { weight: 1, arbitrary: anyJson }),
            (hostile) => expectWithstands(platform, fixture, hostile),
          ),
          { numRuns: 60 },
        )
      },
    )

    it("values that no text can be made of harm nothing, wherever one stands", () => {
      const odd = { toString: 1, valueOf: null }
      const oddened = (value: unknown): unknown => {
        if (Array.isArray(value)) return [odd, ...value.map(oddened)]
        if (typeof value !== "object" || value === null) return value
        return Object.fromEntries(Object.entries(value).map(([name, at]) => [name, oddened(at)]))
      }
      for (const fixture of events) {
        const payload = messageOf(fixture.request, fixture.contentType).payload
        expectWithstands(platform, fixture, oddened(payload))
        if (typeof payload !== "object" || payload === null) continue
        for (const name of Object.keys(payload))
          expectWithstands(platform, fixture, { ...payload, [name]: odd })
      }
    })

    it("texts too long for any column harm nothing, wherever they stand", () => {
      const long = (value: unknown): unknown => {
        if (typeof value === "string") return "x".repeat(10_000)
        if (Array.isArray(value)) return value.map(long)
        if (typeof value !== "object" || value === null) return value
        return Object.fromEntries(Object.entries(value).map(([name, at]) => [name, long(at)]))
      }
      for (const fixture of events) {
        expectWithstands(platform, fixture, long(messageOf(fixture.request, fixture.contentType).payload))
      }
    })

    it("nesting without end harms nothing", () => {
      const deep = JSON.parse("[".repeat(10_000) + "]".repeat(10_000))
      for (const fixture of events) {
        const payload = messageOf(fixture.request, fixture.contentType).payload
        expectWithstands(platform, fixture, deep)
        if (typeof payload !== "object" || payload === null) continue
        for (const name of Object.keys(payload)) {
          attemptIdentity(platform, fixture, { ...payload, [name]: deep })
        }
      }
    })

    it("missing headers are refused, and what is left is read as far as it goes", () => {
      for (const fixture of events) {
        const bare = { ...fixture, request: { ...fixture.request, headers: {} } }
        const payload = messageOf(fixture.request, fixture.contentType).payload
        expectWithstands(platform, bare, payload)
      }
    })

    it("headers of odd content are refused or read, and no more", () => {
      const fixture = firstOf(events)
      const payload = messageOf(fixture.request, fixture.contentType).payload
      const odd = fc.oneof(
        fc.constantFrom(
          "",
          "*",
          "__proto__",
          "constructor",
          "toString",
          "error",
          "x".repeat(5_000),
          "a\0b",
          "é",
        ),
        fc.string({ unit: "binary" }),
      )
      fc.assert(
        fc.property(fc.constantFrom(...Object.keys(fixture.request.headers)), odd, (name, value) => {
          const headers = { ...fixture.request.headers, [name]: value }
          expectWithstands(platform, { ...fixture, request: { ...fixture.request, headers } }, payload)
        }),
      )
    })

    it("no text makes mentions throw, or point beside what they show", () => {
      const field = fc.constantFrom("title", "body", "branch", "commit", "message", "comment")
      const format = fc.constantFrom("plain", "markdown", "slack", "branch", "url")
      const word = fc.oneof(
        fc.constantFrom(
          "#42",
          "ENG-123",
          "acme/api#7",
          "fixes ",
          "Reverts ",
          "(#9)",
          "`",
          "```\n",
          "> ",
          "\n",
          "<",
          "|",
          ">",
        ),
        fc.constantFrom(
          "https://github.com/acme/api/pull/42",
          "https://linear.app/acme/issue/ENG-123",
          "&amp;",
          "🏴",
        ),
        fc.string({ unit: "binary", maxLength: 8 }).map((text) => text.toWellFormed().replaceAll("\0", "")),
      )
      const text = fc.array(word, { maxLength: 30 }).map((words) => words.join(""))
      const subject = fc.constantFrom(
        null,
        "github:pull_request:acme/api#1",
        "linear:issue:ENG-1",
        "slack:message:T/C/1.2",
        "odd",
      )
      fc.assert(
        fc.property(field, format, text, subject, (name, form, content, about) => {
          const given = { field: name, format: form, text: content } as const
          const mentions = platform.mentionsIn?.(given, about) ?? []
          expectWellFormedMentions(mentions, given)
        }),
        { numRuns: 300 },
      )
    })

    it.each(hardTexts.map((text) => ({ text, start: text.slice(0, 12) })))(
      "a text of $start… is read to its end",
      ({ text }) => {
        for (const format of ["plain", "markdown", "slack", "branch", "url"] as const) {
          const field = { field: format === "branch" ? "branch" : "body", format, text }
          expectWellFormedMentions(
            platform.mentionsIn?.(field, "github:pull_request:acme/api#1") ?? [],
            field,
          )
        }
      },
    )

    it("no address makes it throw, or gives a key that is none", () => {
      const host = fc.constantFrom(
        "github.com",
        "linear.app",
        "acme.slack.com",
        "app.slack.com",
        "example.com",
      )
      const segment = fc.oneof(
        fc.constantFrom(
          "acme",
          "api",
          "pull",
          "issues",
          "issue",
          "42",
          "ENG-1",
          "commit",
          "a".repeat(40),
          "archives",
        ),
        fc.constantFrom("C123", "p1358546515000008", "tree", "client", "%", "%00", "%ud800", "..", ""),
        fc.string({ maxLength: 6 }),
      )
      fc.assert(
        fc.property(
          host,
          fc.array(segment, { maxLength: 7 }),
          fc.webQueryParameters(),
          (name, path, query) => {
            const text = `https://${name}/${path.join("/")}?${query}`
            if (!URL.canParse(text)) return
            const key = platform.entityFromUrl?.(new URL(text)) ?? null
            if (key !== null) expectWellFormedKey(key)
          },
        ),
        { numRuns: 500 },
      )
    })
  })

  describe(`${label}: what is kept`, () => {
    it("every delivery comes as a media type that is taken", () => {
      const taken = new Set(["application/json", ...platform.contentTypes])
      const refused = fixtures.filter(({ contentType }) => !taken.has(mediaType(contentType)))
      expect(refused.map(({ shape, contentType }) => `${shape}: ${contentType}`)).toEqual([])
    })

    it("no header that could hold a signature or a credential is kept", () => {
      const revealing = /signature|secret|token|authori[sz]ation|cookie|password|api-?key|credential/
      expect(
        platform.keptHeaders.filter((name) => revealing.test(name) || name === signer?.signatureHeader),
      ).toEqual([])
      expect(platform.keptHeaders.filter((name) => name !== name.toLowerCase())).toEqual([])
    })

    it.runIf(platform.detail !== null)("every column of a detail row exists in its table", async () => {
      const { table = "", columns = [] } = platform.detail ?? {}
      const { rows } = await database.work.query<{ column_name: string }>(
        "select column_name from information_schema.columns where table_schema = 'public' and table_name = $1",
        [table],
      )
      const expected = [...columns, "event_id", "tenant"].toSorted()
      expect(rows.map((row) => row.column_name).toSorted()).toEqual(expected)
    })

    it.runIf(platform.detail !== null).each(events)(
      "the detail row of $shape fits its table",
      async (fixture) => {
        const { detail } = platform.normalize(messageOf(fixture.request, fixture.contentType))
        if (detail === null) return
        expect(await insertDetail(database.work, platform.detail?.table ?? "", detail)).toBe(1)
      },
    )

    it("a deployment that is told of besides fits the table of deployments", async () => {
      for (const { request, contentType } of events) {
        const { deployment } = platform.normalize(messageOf(request, contentType))
        if (!deployment) continue
        expect(await insertDetail(database.work, deploymentTable.table, { ...deployment })).toBe(1)
      }
    })
  })
}

function believesNobody(platform: Platform, fixtures: readonly Fixture[]): void {
  it.each(fixtures)("$shape is refused, as its sender signs nothing", ({ request }) => {
    expect(platform.verify(request, secretsOf("one", "two")).ok).toBe(false)
    expect(platform.verify(request, []).ok).toBe(false)
  })
}

function believesSigner(platform: Platform, fixtures: readonly Fixture[], signer: Signer): void {
  const secrets = secretsOf(...signer.secrets)

  it.each(fixtures)(
    "$shape is accepted under either secret, and the one that matched is told",
    ({ request }) => {
      for (const secret of secrets) {
        const verification = platform.verify(signRequest(request, signer, secret.value), secrets)
        expect(verification).toEqual({ ok: true, secretId: secret.id })
      }
    },
  )

  it("a secret that is not in force, or none, is refused", () => {
    const [first, second] = secrets
    for (const { request } of fixtures) {
      const signed = signRequest(request, signer, signer.secrets[0])
      expect(platform.verify(signed, second === undefined ? [] : [second])).toMatchObject({
        code: "signature_mismatch",
      })
      expect(platform.verify(signed, first === undefined ? [] : [first]).ok).toBe(true)
      expect(platform.verify(signed, []).ok).toBe(false)
    }
  })

  it("a missing signature is refused as missing", () => {
    for (const { request } of fixtures) {
      const { [signer.signatureHeader]: _, ...headers } = signRequest(request, signer).headers
      expect(platform.verify({ ...request, headers }, secrets)).toMatchObject({ code: "signature_missing" })
      const empty = { ...headers, [signer.signatureHeader]: "" }
      expect(platform.verify({ ...request, headers: empty }, secrets).ok).toBe(false)
    }
  })

  it("a signature that is cut, stretched or holds other characters is refused", () => {
    for (const { request } of fixtures) {
      const signed = signRequest(request, signer)
      const signature = signed.headers[signer.signatureHeader] ?? ""
      const last = signature.slice(-1)
      const spoilt = [
        signature.slice(0, -1),
        signature.slice(0, signature.length / 2),
        `${signature}0`,
        `${signature.slice(0, -1)}!`,
        `${signature.slice(0, -8)}ÄÖÜ\0ßzzz`,
        signature.slice(0, -12) + "z".repeat(12),
        signature.slice(0, -1) + (last === "0" ? "1" : "0"),
        signature.toUpperCase(),
        signature.replace(/[0-9a-f]{40,}$/, (hex) => hex.toUpperCase()),
        signature.includes("=") ? signature.slice(0, signature.indexOf("=")) : "",
        "sha256=",
        "v0=",
        "v1,",
      ]
      for (const value of spoilt.filter((one) => one !== signature)) {
        const headers = { ...signed.headers, [signer.signatureHeader]: value }
        expect(platform.verify({ ...signed, headers }, secrets).ok, value).toBe(false)
      }
    }
  })

  it.runIf(signer.coversBody !== false)("a body that was changed after signing is refused", () => {
    for (const { request } of fixtures) {
      const signed = signRequest(request, signer)
      const flipped = Buffer.from(signed.body)
      flipped.writeUInt8((flipped.at(-1) ?? 0) ^ 1, flipped.length - 1)
      for (const body of [flipped, Buffer.concat([signed.body, Buffer.from(" ")]), Buffer.alloc(0)]) {
        expect(platform.verify({ ...signed, body }, secrets)).toMatchObject({ code: "signature_mismatch" })
      }
    }
  })

  it("no header whatever makes it throw, or passes for a signature", () => {
    const request = firstOf(fixtures).request
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.stringMatching(/^(sha256=|v0=|v1,)?[0-9a-zA-Z+/= ,]*$/),
    )
    const names = Object.keys(signRequest(request, signer).headers)
    fc.assert(
      fc.property(fc.constantFrom(...names), value, value, (name, one, other) => {
        const headers = { ...request.headers, [name]: one, [signer.signatureHeader]: other }
        expect(platform.verify({ ...request, headers }, secrets).ok).toBe(false)
      }),
    )
  })

  const tolerance = signer.toleranceSeconds
  it.runIf(tolerance !== null)(
    "a signed time outside the tolerance is refused, the future as well as the past",
    () => {
      const seconds = tolerance ?? 0
      for (const { request } of fixtures) {
        const at = (offset: number) => new Date(request.receivedAt.getTime() + offset * 1000)
        for (const offset of [-seconds - 2, seconds + 2, -86_400 * 365]) {
          const signed = signRequest(request, signer, signer.secrets[0], at(offset))
          expect(platform.verify(signed, secrets)).toMatchObject({ code: "timestamp_outside_tolerance" })
        }
        for (const offset of [-seconds + 2, seconds - 2]) {
          const signed = signRequest(request, signer, signer.secrets[0], at(offset))
          expect(platform.verify(signed, secrets)).toMatchObject({ ok: true })
        }
      }
    },
  )
}

function secretsOf(...values: readonly string[]): Secret[] {
  return values.map((value, index) => ({ id: `secret-${index}`, value }))
}

function keyOf(platform: Platform, { request, contentType }: EventFixture): string {
  return platform.identify(messageOf(request, contentType), request.body).key
}

function firstOf<T>(fixtures: readonly T[]): T {
  const [first] = fixtures
  if (first === undefined) throw new Error("the platform has no fixtures")
  return first
}
