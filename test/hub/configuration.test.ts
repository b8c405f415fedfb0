import { inspect } from "node:util"
import { expect, it } from "vitest"
import { loadConfig } from "../../src/config.ts"
import { createHub } from "../../src/hub.ts"
import { platforms } from "../../src/platforms/index.ts"

it("nothing set means its own database, every role, and every platform off", () => {
  const config = loadConfig({}, platforms)
  expect(config).toMatchObject({ port: 3000, databaseUrl: undefined, dataDir: ".signalbox" })
  expect([...config.roles]).toEqual(["ingest", "worker", "stream", "api"])
  expect(config.secrets.size).toBe(0)
})

it("a variable that is set to nothing counts as not set", () => {
  expect(loadConfig({ DATABASE_URL: "", PORT: "", GITHUB_WEBHOOK_SECRET: "" }, platforms)).toMatchObject({
    databaseUrl: undefined,
    port: 3000,
  })
})

it("an admin key may be a passphrase", () => {
  const key = "correct horse battery staple, d\u00e9j\u00e0 vu"
  expect(loadConfig({ SIGNALBOX_ADMIN_KEY: key }, platforms).adminKey).toBe(key)
})

it("limits of streams are what is named, and nothing is said of the others", () => {
  expect(loadConfig({}, platforms).streamLimits).toEqual({})
  const env = {
    SIGNALBOX_MAX_STREAMS: "500",
    SIGNALBOX_MAX_STREAMS_BY_ADDRESS: "",
    SIGNALBOX_MAX_UNSENT: "2GB",
  }
  expect(loadConfig(env, platforms).streamLimits).toEqual({ maxClients: 500, maxUnsentTotal: 2e9 })
})

it("several secrets stand separated by commas while they rotate", () => {
  const config = loadConfig({ GITHUB_WEBHOOK_SECRET: "old, new" }, platforms)
  expect(config.secrets.get("github")).toEqual(["old", "new"])
})

it.each([
  [{ PORT: "http" }, "PORT"],
  [{ PORT: "65536" }, "PORT"],
  [{ DATABASE_URL: "mysql://x" }, "DATABASE_URL"],
  [{ SIGNALBOX_ADMIN_KEY: "short" }, "SIGNALBOX_ADMIN_KEY"],
  [{ SIGNALBOX_ADMIN_KEY: "a tab\tcannot be part of an admin key" }, "SIGNALBOX_ADMIN_KEY"],
  [{ SIGNALBOX_ADMIN_KEY: "nor can a line end, were it the last\n" }, "SIGNALBOX_ADMIN_KEY"],
  [{ SIGNALBOX_ADMIN_KEY: "passphrase with a blank at its end " }, "SIGNALBOX_ADMIN_KEY"],
  [{ SIGNALBOX_ADMIN_KEY: " passphrase with a blank before all" }, "SIGNALBOX_ADMIN_KEY"],
  [{ SIGNALBOX_ADMIN_KEY: "a key worth many \u20ac no header can carry" }, "SIGNALBOX_ADMIN_KEY"],
  [{ SIGNALBOX_MAX_STREAMS: "many" }, "SIGNALBOX_MAX_STREAMS"],
  [{ SIGNALBOX_MAX_STREAMS_BY_KEY: "0" }, "SIGNALBOX_MAX_STREAMS_BY_KEY"],
  [{ SIGNALBOX_MAX_UNSENT: "12 heaps" }, "SIGNALBOX_MAX_UNSENT"],
  [{ SIGNALBOX_TRUSTED_PROXIES: "my-proxy" }, "SIGNALBOX_TRUSTED_PROXIES"],
  [{ SIGNALBOX_ROLES: "ingest,janitor" }, "SIGNALBOX_ROLES"],
  [{ LOG_LEVEL: "loud" }, "LOG_LEVEL"],
  [{ GITHUB_WEBHOOK_SECRET: "a,,b" }, "GITHUB_WEBHOOK_SECRET"],
  [{ DEPLOYMENT_WEBHOOK_SECRET: "not-whsec" }, "DEPLOYMENT_WEBHOOK_SECRET"],
  [{ SIGNALBOX_ENCRYPTION_KEY: "too short" }, "SIGNALBOX_ENCRYPTION_KEY"],
  [{ SIGNALBOX_ENCRYPTION_KEY: `${"ab".repeat(32)},${"cd".repeat(31)}` }, "SIGNALBOX_ENCRYPTION_KEY"],
  [{ LINEAR_API_KEY: "two words" }, "LINEAR_API_KEY"],
  [{ SLACK_API_URL: "slack.example" }, "SLACK_API_URL"],
])("%j stops the start with one line that names it and keeps its value to itself", (env, name) => {
  const value = Object.values(env)[0] ?? ""
  let message = ""
  try {
    loadConfig(env, platforms)
  } catch (error) {
    message = error instanceof Error ? error.message : ""
  }
  expect(message).toContain(name)
  expect(message).not.toContain("\n")
  expect(message.replaceAll(name, "")).not.toContain(value)
})

it("encryption keys stand in base64 or in hexadecimal digits, and the one that seals comes first", () => {
  const hex = "0123456789abcdef".repeat(4)
  const base64 = Buffer.from(hex, "hex").toString("base64")
  const { encryptionKeys } = loadConfig(
    { SIGNALBOX_ENCRYPTION_KEY: `${hex}, ${base64},${"ff".repeat(32)}` },
    platforms,
  )
  const [first, same, other] = encryptionKeys.map(({ id }) => id)
  expect(first).toMatch(/^[0-9a-f]{16}$/)
  expect(same).toBe(first)
  expect(other).not.toBe(first)
  expect(inspect(encryptionKeys, { depth: 9, showHidden: true })).not.toContain(hex.slice(0, 16))
})

it("credentials and addresses of the platforms' APIs come from their own variables", () => {
  const env = { LINEAR_API_KEY: "lin_api_x", SLACK_API_URL: "https://slack.example/api/" }
  const { credentials, apiUrls } = loadConfig(env, platforms)
  expect([...credentials]).toEqual([["linear", "lin_api_x"]])
  expect([...apiUrls]).toEqual([["slack", "https://slack.example/api/"]])
})

it("every malformed variable is named at once", () => {
  const env = { PORT: "x", LOG_LEVEL: "y" }
  expect(() => loadConfig(env, platforms)).toThrow(/PORT.*LOG_LEVEL/)
})

it("options of a hub are held to the same rules", () => {
  expect(() => createHub({ env: {}, adminKey: "short" })).toThrow(/SIGNALBOX_ADMIN_KEY/)
  expect(() => createHub({ env: {}, secrets: { deployment: ["nonsense"] } })).toThrow(
    /DEPLOYMENT_WEBHOOK_SECRET/,
  )
})

it("a secret that is given to a hub may hold a comma", () => {
  expect(loadConfig({}, platforms, { github: ["a,b"] }).secrets.get("github")).toEqual(["a,b"])
})
