import { setupServer } from "msw/node"
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest"
import { sourcesCommand } from "../../src/cli/commands/sources/index.ts"
import { systemClock } from "../../src/core/clock.ts"
import { testDatabase } from "../support/database.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"
import { testKeyring, testKeyText, testSources } from "../support/sources.ts"
import { createGithubWorld } from "../support/worlds/github.ts"
import { createLinearWorld } from "../support/worlds/linear.ts"

const database = await testDatabase()
const github = createGithubWorld({ clock: systemClock, secret: "of no use here" })
const linear = createLinearWorld({ clock: systemClock })
const saas = setupServer(...github.handlers, ...linear.handlers)
beforeAll(() => saas.listen({ onUnhandledFrame: "error" }))
afterAll(() => saas.close())

const env = {
  DATABASE_URL: database.url,
  SIGNALBOX_ENCRYPTION_KEY: testKeyText(1),
  GITHUB_API_URL: github.apiUrl,
  LINEAR_API_URL: linear.apiUrl,
  GITHUB: github.token,
  LINEAR: linear.apiKey,
}
const githubHooks = () => github.repositories.get("acme/api")!.hooks.map(({ config }) => config)

interface Case {
  args: string[]
  credential: string
  hooks: () => readonly { url?: unknown; secret?: unknown }[]
}

const cases: Record<string, Case> = {
  github: {
    args: ["--repo", "acme/api", "--token-env", "GITHUB"],
    credential: env.GITHUB,
    hooks: githubHooks,
  },
  linear: { args: ["--token-env", "LINEAR"], credential: env.LINEAR, hooks: () => linear.hooks },
}

async function connect(...args: string[]) {
  const { status, values } = await runJsonCommand(sourcesCommand, ["connect", ...args], env)
  expect(status).toBe(0)
  return { report: values[0] }
}

it.each(Object.entries(cases))(
  "%s is connected by one command, which may be repeated",
  async (platform, one) => {
    const args = [platform, "--source", "acme", "--url", "https://hub.example", ...one.args]
    const { report: dry } = await connect(...args)
    expect(dry).toMatchObject({ applied: false, webhookUrl: `https://hub.example/webhooks/${platform}/acme` })
    expect(one.hooks()).toHaveLength(0)

    const { report: done } = await connect(...args, "--apply")
    expect(done.applied).toBe(true)
    expect(JSON.stringify(done)).not.toContain(one.credential)
    const sources = await testSources({ database, keyring: testKeyring(1) }, onTestFinished)
    const source = sources.find(platform, "acme")!
    expect(source.off).toBeUndefined()
    expect(sources.credentialOf(source)).toBe(one.credential)
    expect(one.hooks()).toMatchObject([{ url: dry.webhookUrl, secret: source.secrets[0]?.value }])
    expect(Object.keys(source.settings).length).toBeGreaterThan(0)

    const { report: again } = await connect(...args, "--apply")
    expect(new Set(again.steps.map(({ action }: { action: string }) => action))).toEqual(new Set(["keep"]))
    expect(one.hooks()).toHaveLength(1)
  },
)

it("what the provider refuses is told in a line, and nothing is made", async () => {
  const refused = runCommand(
    sourcesCommand,
    [
      "connect",
      "github/refused",
      "--url",
      "https://hub.example",
      "--repo",
      "acme/api",
      "--token-env",
      "WRONG",
    ],
    { ...env, WRONG: "ghp_wrong" },
  )
  await expect(refused).rejects.toMatchObject({
    code: "unauthenticated",
    message: expect.not.stringContaining("\n"),
  })
  const { rows } = await database.work.query("select from sources where name = 'refused'")
  expect(rows).toEqual([])
})
