import { expect, it, onTestFinished } from "vitest"
import { systemClock } from "../../src/core/clock.ts"
import { silentLog } from "../../src/core/log.ts"
import { definePlatform, type Platform } from "../../src/core/platform.ts"
import type { ConnectRequest, ConnectResult } from "../../src/core/remote.ts"
import { planConnection, type ConnectionRequest } from "../../src/sources/connect.ts"
import { createSourceAdmin } from "../../src/sources/source-admin.ts"
import { github } from "../../src/platforms/github/index.ts"
import { testDatabase } from "../support/database.ts"
import { testKeyring, testSources } from "../support/sources.ts"

const database = await testDatabase()
const pool = database.work

/** A provider that keeps one hook an address, and a platform that knows how to reach it. */
function createProvider({ makesSecret = false } = {}) {
  const hooks = new Map<string, string | null>()
  const requests: ConnectRequest[] = []
  const platform = definePlatform({
    ...github,
    ...(makesSecret ? { secretOrigin: () => "the provider makes it" } : {}),
    calls: {
      credentialVariable: "GITHUB_TOKEN",
      apiUrlVariable: "GITHUB_API_URL",
      load: async () => ({
        connector: {
          options: { repo: "owner/name" },
          needsCredential: true,
          plan: async (request) => {
            requests.push(request)
            const isThere = hooks.has(request.webhookUrl)
            return {
              steps: [{ action: isThere ? "keep" : "create", what: `hook to ${request.webhookUrl}` }],
              apply: async (): Promise<ConnectResult> => {
                hooks.set(request.webhookUrl, request.secret)
                return {
                  settings: { repo: request.options["repo"], hook: hooks.size },
                  ...(makesSecret ? { secret: "made by the provider" } : {}),
                }
              },
            }
          },
        },
      }),
    },
  })
  return { hooks, requests, platform }
}

function plan(platform: Platform, request: Partial<ConnectionRequest>, credentials: [string, string][] = []) {
  const keyring = testKeyring(1)
  const platforms = [platform]
  return planConnection(
    {
      pool,
      platforms,
      keyring,
      admin: createSourceAdmin({ pool, platforms, keyring, clock: systemClock }),
      environment: { secrets: new Map(), credentials: new Map(credentials), apiUrls: new Map() },
      clock: systemClock,
      log: silentLog,
      signal: new AbortController().signal,
    },
    {
      tenant: null,
      platform: "github",
      name: "default",
      url: "https://hub.example/base/",
      options: { repo: "acme/api" },
      ...request,
    },
  )
}

async function stored(name: string) {
  const { rows } = await pool.query("select id from sources where name = $1", [name])
  return rows.length
}

it("a dry run looks at both sides and changes neither", async () => {
  const { platform, hooks, requests } = createProvider()
  const { steps, webhookUrl } = await plan(platform, { name: "dry", credential: "token" })
  expect(webhookUrl).toBe("https://hub.example/base/webhooks/github/dry")
  expect(steps).toEqual([
    { action: "create", what: "the source github/dry" },
    { action: "create", what: "a signing secret, sealed in the database" },
    { action: "create", what: "the credential, sealed in the database" },
    { action: "create", what: `hook to ${webhookUrl}` },
  ])
  expect(JSON.stringify(steps)).not.toContain("token")
  expect(requests[0]).toMatchObject({
    source: "dry",
    access: { credential: "token" },
    options: { repo: "acme/api" },
  })
  expect(hooks.size).toBe(0)
  expect(await stored("dry")).toBe(0)
})

it("applied, the hook has the source's secret, and what it takes to call the provider is kept", async () => {
  const { platform, hooks } = createProvider()
  const connection = await plan(platform, { name: "applied", credential: "token" })
  const { source } = await connection.apply()
  expect(source.settings).toEqual({ repo: "acme/api", hook: 1 })
  const sources = await testSources({ database, platforms: [platform] }, onTestFinished)
  const running = sources.find("github", "applied")!
  expect(running.secrets.map(({ value }) => value)).toEqual([hooks.get(connection.webhookUrl)])
  expect(sources.credentialOf(running)).toBe("token")

  const again = await plan(platform, { name: "applied", credential: "token" })
  expect(again.steps.map(({ action }) => action)).toEqual(["keep", "keep"])
  expect((await again.apply()).source.secrets).toEqual(source.secrets)
  expect(hooks.size).toBe(1)
  const replaced = await plan(platform, { name: "applied", credential: "another" })
  expect(replaced.steps).toContainEqual({ action: "update", what: expect.stringContaining("credential") })
})

it("what the provider refuses leaves a source that the next try finds", async () => {
  const { platform } = createProvider()
  const failing = definePlatform({
    ...platform,
    calls: {
      ...platform.calls!,
      load: async () => ({
        connector: {
          options: {},
          needsCredential: true,
          plan: async () => ({ steps: [], apply: () => Promise.reject(new Error("the provider is away")) }),
        },
      }),
    },
  })
  const request = { name: "retried", credential: "token" }
  await expect((await plan(failing, request)).apply()).rejects.toThrow("away")
  expect(await stored("retried")).toBe(1)
  const { source } = await (await plan(platform, request)).apply()
  expect(source.secrets).toHaveLength(1)
})

it("a secret that the provider makes becomes the source's", async () => {
  const { platform, requests } = createProvider({ makesSecret: true })
  const first = await plan(platform, { name: "theirs", credential: "token" })
  expect(requests[0]?.secret).toBeNull()
  const { source, advice } = await first.apply()
  expect(source.secrets).toHaveLength(1)
  expect(advice).toBeNull()
  const second = await (await plan(platform, { name: "theirs", credential: "token" })).apply()
  expect(requests[1]?.secret).toBe("made by the provider")
  expect(second.source.secrets).toEqual(source.secrets)
})

it("the environment's credential is used where it may speak, and is not copied", async () => {
  const { platform, requests } = createProvider()
  const { steps } = await plan(platform, { name: "env" }, [["github", "from the environment"]])
  expect(requests[0]?.access.credential).toBe("from the environment")
  expect(steps.map(({ what }) => what).join()).not.toContain("credential")
  const theirs = plan(platform, { name: "env", tenant: "acme" }, [["github", "from the environment"]])
  await expect(theirs).rejects.toThrow(/--token-env/)
})

it.each([
  [{ url: "hub.example" }, /--url/],
  [{ name: "no/name" }, /a name has/],
  [{ platform: "gitlab" }, /unknown platform/],
  [{}, /--token-env.*GITHUB_TOKEN/],
])("%j is refused with what to mend", async (request, words) => {
  await expect(plan(createProvider().platform, request)).rejects.toThrow(words)
})
