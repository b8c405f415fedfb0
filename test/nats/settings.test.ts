import { expect, test } from "vitest"
import { loadConfig } from "../../src/config.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"

const settingsOf = (env: Record<string, string>) => loadConfig(env, []).nats

test("an address may name several servers, and as whom to go there", () => {
  expect(readNatsUrl("nats://one,nats://two:4333")).toEqual({ servers: ["one:4222", "two:4333"], tls: false })
  expect(readNatsUrl("tls://user:p%40ss@one.example")).toEqual({
    servers: ["one.example:4222"],
    tls: true,
    user: "user",
    password: "p@ss",
  })
  expect(readNatsUrl("nats://s3cret@[::1]:4222")).toEqual({
    servers: ["[::1]:4222"],
    tls: false,
    token: "s3cret",
  })
})

test.each([
  "localhost:4222",
  "http://localhost:4222",
  "nats://",
  "nats://one,",
  "nats://one/path",
  "nats://one?x=1",
  "nats://one:99999",
  "nats://a:b@one,nats://c:d@two",
  "nats://one,tls://two",
])("a malformed NATS_URL (%s) is refused by name, and not repeated", (url) => {
  const read = () => settingsOf({ NATS_URL: url })
  expect(read).toThrow(/^configuration: NATS_URL must be nats:\/\/host:port/)
  expect(read).not.toThrow(/a:b|99999/)
})

test.each([
  ["SIGNALBOX_NATS_PREFIX", "a.b"],
  ["SIGNALBOX_NATS_REPLICAS", "0"],
  ["SIGNALBOX_NATS_REPLICAS", "2"],
  ["SIGNALBOX_NATS_REPLICAS", "4"],
  ["SIGNALBOX_NATS_REPLICAS", "6"],
  ["SIGNALBOX_NATS_REPLICAS", "three"],
  ["SIGNALBOX_NATS_STORAGE", "disk"],
  ["SIGNALBOX_NATS_COMPRESSION", "gzip"],
  ["SIGNALBOX_NATS_MAX_AGE", "a week"],
  ["SIGNALBOX_NATS_MAX_BYTES", "50"],
])("a malformed %s is refused by name", (name, value) => {
  expect(() => settingsOf({ NATS_URL: "nats://one", [name]: value })).toThrow(
    new RegExp(`^configuration: ${name} `),
  )
})

test("without NATS_URL there is no NATS; with it, the settings are those of the environment", () => {
  expect(settingsOf({ SIGNALBOX_NATS_REPLICAS: "3" })).toBeUndefined()
  expect(
    settingsOf({
      NATS_URL: "nats://one",
      SIGNALBOX_NATS_PREFIX: "acme",
      SIGNALBOX_NATS_REPLICAS: "3",
      SIGNALBOX_NATS_STORAGE: "memory",
      SIGNALBOX_NATS_COMPRESSION: "s2",
      SIGNALBOX_NATS_MAX_AGE: "12h",
      SIGNALBOX_NATS_MAX_BYTES: "50GB",
    }),
  ).toMatchObject({
    prefix: "acme",
    replicas: 3,
    storage: "memory",
    compression: "s2",
    maxAgeSeconds: 43_200,
    maxBytes: 50_000_000_000,
  })
})
