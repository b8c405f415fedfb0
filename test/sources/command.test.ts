import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import { json, text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished, vi } from "vitest"
import { sourcesCommand } from "../../src/cli/commands/sources/index.ts"
import { loadSigner } from "../support/fixtures.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"
import { testKeyText } from "../support/sources.ts"
import { sendPing } from "./ping.ts"

const hub = await startTestHub({ env: { SIGNALBOX_ENCRYPTION_KEY: testKeyText(1) } })
const env = {
  DATABASE_URL: hub.database.url,
  SIGNALBOX_ENCRYPTION_KEY: testKeyText(1),
  SIGNALBOX_ADMIN_KEY: adminKey,
  MY_SECRET: "one that is given",
  MY_TOKEN: "ghp_given",
}

const sources = (...args: string[]) => runJsonCommand(sourcesCommand, args, env)
const said = async (...args: string[]) => (await runCommand(sourcesCommand, args, env)).lines.join("\n")
const off = (name: string) => hub.hub.sources().find((source) => source.name === name)?.off

it("a source is added, listed, disabled, enabled and rotated, and a running hub obeys", async () => {
  const added = await sources("add", "github/cli", "--tenant", "acme", "--setting", "repo=acme/api")
  expect(added).toMatchObject({ status: 0, values: [{ tenant: "acme", settings: { repo: "acme/api" } }] })
  const { secret } = added.values[0]
  expect(secret).toMatch(/^[0-9a-f]{64}$/)
  expect(await said("list")).toMatch(/github\/cli +acme +enabled +1/)
  expect(await said("list", "--tenant", "default")).not.toContain("github/cli")
  expect(await said("list")).not.toContain(secret)

  await vi.waitFor(() => expect(hub.hub.sources().map(({ name }) => name)).toContain("cli"), 2_000)
  expect(await said("disable", "github/cli")).toBe("github/cli is disabled")
  await vi.waitFor(() => expect(off("cli")).toMatch(/disabled/), 2_000)
  expect(await said("enable", "github/cli")).toBe("github/cli is enabled")
  await vi.waitFor(() => expect(off("cli")).toBeUndefined(), 2_000)

  const rotated = await sources("rotate", "github/cli", "--overlap", "2h", "--secret-env", "MY_SECRET")
  expect(rotated.values[0].secret).toBeUndefined()
  const [newest, oldest] = rotated.values[0].secrets
  expect(newest.expiresAt).toBeNull()
  expect(Math.abs(Date.parse(oldest.expiresAt) - Date.now() - 7_200_000)).toBeLessThan(60_000)
})

it("a source that is there is given a token, and settings as what they say", async () => {
  await sources("add", "slack/given", "--secret-env", "MY_SECRET", "--setting", "lookbackHours=72")
  const args = ["--token-env", "MY_TOKEN", "--setting", "records=false", "--setting", 'teams=["T1"]']
  const changed = await sources("set", "slack/given", ...args, "--setting", "id=007")
  expect(changed.values[0].credential).toMatchObject({ purpose: "credential" })
  expect(changed.values[0].settings).toEqual({
    lookbackHours: 72,
    records: false,
    teams: ["T1"],
    id: "007",
  })
  expect(changed.values[0].secrets).toHaveLength(1)
  expect(await said("set", "slack/given", "--setting", "teams=null", "--setting", "id=null")).toBe(
    'slack/given has a token of its own, settings {"records":false,"lookbackHours":72}',
  )
  await expect(sources("set", "slack/given", "--setting", "teams=[1")).rejects.toThrow(/--setting teams/)
  await expect(sources("set", "slack/given")).rejects.toThrow(/say what to set/)
})

it("an option of another action is refused, not passed over", async () => {
  await sources("add", "github/kept")
  await expect(sources("rotate", "github/kept", "--token-env", "MY_TOKEN")).rejects.toThrow(
    /--token-env is not for sources rotate/,
  )
  expect(await said("list")).toMatch(/github\/kept +default +enabled +1/)
})

it("the help of an action is its own, with the options of the platform that is named", async () => {
  expect(await sourcesCommand.usageOf?.(["rotate"])).toMatch(/^rotate [^\n]+$/)
  expect(await sourcesCommand.usageOf?.(["connect", "linear"])).toMatch(/^connect [^\n]+\n {2}--team /)
  expect(await sourcesCommand.usageOf?.([])).toBeUndefined()
})

/** The cells of a source in the list, from its state on. */
async function listed(name: string, more: Record<string, string> = {}) {
  const { lines } = await runCommand(sourcesCommand, ["list"], { ...env, ...more })
  const found = lines
    .join("\n")
    .split("\n")
    .find((one) => one.startsWith(`${name} `))
  return found?.split(/ {2,}/).slice(2)
}

it("the list says which secrets come by variable, and when one of them last matched", async () => {
  expect(await listed("linear/default")).toEqual([
    "enabled",
    "by LINEAR_WEBHOOK_SECRET, where the hub has it",
  ])
  expect(await listed("linear/default", { LINEAR_WEBHOOK_SECRET: "one" })).toEqual([
    "enabled",
    "by LINEAR_WEBHOOK_SECRET",
  ])
  expect(await listed("custom/default")).toEqual(["enabled", "0 stored"])

  const secret = (await loadSigner("github"))?.secrets[0] ?? ""
  const before = Date.now()
  expect(await sendPing(`${hub.url}/webhooks/github`, secret)).toBe(202)
  const [state, words, matched] = (await listed("github/default")) ?? []
  expect([state, words]).toEqual(["enabled", "by GITHUB_WEBHOOK_SECRET"])
  expect(Date.parse(matched ?? "")).toBeGreaterThanOrEqual(before)

  await sources("rotate", "github/default", "--secret-env", "MY_SECRET")
  expect((await listed("github/default"))?.[1]).toBe("1 stored, and by GITHUB_WEBHOOK_SECRET")
})

it("a generated secret is shown once, a given one never", async () => {
  expect(await said("add", "github/shown")).toMatch(/shown this once: [0-9a-f]{64}/)
  const given = await said("add", "github/given", "--secret-env", "MY_SECRET", "--token-env", "MY_TOKEN")
  expect(given).not.toContain(env.MY_SECRET)
  expect(given).not.toContain(env.MY_TOKEN)
})

it("a secret is read from standard input, and is no argument of any command", async () => {
  const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))
  const child = spawn(
    process.execPath,
    [program, "sources", "add", "linear/piped", "--secret-stdin", "--json"],
    {
      env: { PATH: process.env["PATH"], ...env },
    },
  )
  onTestFinished(() => void child.kill())
  child.stdin.end("from a pipe\n")
  const [value, complaint, [status]] = await Promise.all([
    json(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ])
  expect([status, complaint]).toEqual([0, ""])
  expect(value).toMatchObject({ platform: "linear", name: "piped", secrets: [{ expiresAt: null }] })
  expect(JSON.stringify(value)).not.toContain("from a pipe")
})

it.each([
  [["add", "gitlab/x"], /unknown platform "gitlab"/],
  [["add"], /name the source/],
  [["add", "github/x", "--secret-env", "UNSET"], /UNSET is not set/],
  [["rotate", "github/nothing"], /no source github\/nothing/],
  [["rotate", "github/default", "--overlap", "soon"], /--overlap takes a duration/],
  [["explode"], /no action explode: say add/],
  [["connect", "github", "--source", "a"], /--url/],
  [["connect", "deployment", "--url", "https://hub.example"], /by hand/],
  [["test", "github"], /--url/],
  [["test", "custom", "--url", "http://x"], /custom\/default has no secret|cannot be made/],
])("%j says what to mend", async (args, words) => {
  await expect(runCommand(sourcesCommand, args, env)).rejects.toThrow(words)
})

it("without a key the line names the variable and how to make one", async () => {
  const { SIGNALBOX_ENCRYPTION_KEY: _, ...keyless } = env
  await expect(runCommand(sourcesCommand, ["add", "github/keyless"], keyless)).rejects.toThrow(
    /SIGNALBOX_ENCRYPTION_KEY.*openssl rand -base64 32/,
  )
})

it.each(["github", "linear", "slack", "deployment"])(
  "a test delivery of %s goes through the public address and is followed to the stream",
  async (platform) => {
    const secret = {
      github: "s",
      linear: "s",
      slack: "s",
      deployment: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    const name = `${platform}/tested`
    await runCommand(sourcesCommand, ["add", name, "--tenant", "acme", "--secret-env", "S"], {
      ...env,
      S: secret[platform as keyof typeof secret],
    })
    await vi.waitFor(() => expect(off("tested")).toBeUndefined(), 2_000)
    await vi.waitFor(() =>
      expect(hub.hub.sources().some((s) => s.platform === platform && s.name === "tested")).toBe(true),
    )
    const { status, values } = await sources("test", name, "--url", hub.url)
    expect([status, values]).toEqual([
      0,
      [
        { station: "signed", ok: true, ms: expect.any(Number) },
        expect.objectContaining({ station: "acknowledged", ok: true, eventId: expect.any(String) }),
        { station: "processed", ok: true, ms: expect.any(Number), position: expect.any(Number) },
      ],
    ])
    const receipts = await sources("receipts", name, "--outcome", "accepted", "--since", "1h")
    expect(receipts.values).toMatchObject([{ eventId: values[1].eventId }])
    expect(await said("receipts", name)).toContain(values[1].eventId)
  },
)

/** The last station of a test that fails, and its advice. */
async function failure(...args: string[]) {
  const { status, values } = await sources("test", ...args)
  expect(status).toBe(1)
  return values.at(-1)
}

it("each failure on the way comes with advice", async () => {
  await runCommand(sourcesCommand, ["add", "github/failing", "--secret-env", "MY_SECRET"], env)
  await vi.waitFor(() => expect(hub.hub.sources().map(({ name }) => name)).toContain("failing"), 2_000)
  const path = "github/failing"
  expect(await failure(path, "--url", "http://no-such-name.invalid")).toMatchObject({
    station: "acknowledged",
    ok: false,
    advice: expect.stringMatching(/no-such-name\.invalid does not resolve/),
  })
  expect(await failure(path, "--url", `${hub.url}/prefix`)).toMatchObject({
    advice: expect.stringMatching(/404/),
  })

  const proxy = createServer({ keepAliveTimeout: 1 }, (request, response) => {
    request.resume()
    if (request.url?.startsWith("/moved")) response.writeHead(301, { location: hub.url }).end()
    else response.writeHead(403).end("no")
  }).listen(0, "127.0.0.1")
  await once(proxy, "listening")
  const address = proxy.address()
  const port = typeof address === "object" ? address?.port : 0
  expect((await failure(path, "--url", `http://127.0.0.1:${port}`)).advice).toMatch(/403.*proxy/)
  expect((await failure(path, "--url", `http://127.0.0.1:${port}/moved`)).advice).toMatch(/301.*redirect/)
  proxy.close()
  await once(proxy, "close")
  expect((await failure(path, "--url", `http://127.0.0.1:${port}`)).advice).toMatch(/nothing listens at 127/)

  // The environment's secret of this process is another one than the hub's.
  const other = { ...env, LINEAR_WEBHOOK_SECRET: "another one" }
  const wrong = await runCommand(sourcesCommand, ["test", "linear", "--url", hub.url], other)
  expect(wrong.status).toBe(1)
  expect(wrong.lines.at(-1)).toMatch(/^not acknowledged: 401.*SIGNALBOX_ENCRYPTION_KEY/)

  const { SIGNALBOX_ADMIN_KEY: _, ...stranger } = env
  const unseen = await runJsonCommand(
    sourcesCommand,
    ["test", path, "--url", hub.url, "--key", "nobody's key"],
    stranger,
  )
  expect(unseen.values.at(-1)).toMatchObject({
    station: "processed",
    advice: expect.stringMatching(/API key is unknown/),
  })
})

it("connect shows Slack's manifest and what is left to do, and changes nothing unless told to", async () => {
  const args = ["connect", "slack", "--source", "team", "--url", "https://hub.example", "--name", "Our hub"]
  const dry = await sources(...args)
  expect(dry.values).toMatchObject([
    { webhookUrl: "https://hub.example/webhooks/slack/team", applied: false, steps: expect.any(Array) },
  ])
  expect(await said("list")).not.toContain("slack/team")
  const { values } = await sources(...args, "--apply")
  expect(values).toMatchObject([
    { applied: true, text: expect.stringContaining("https://hub.example/webhooks/slack/team") },
  ])
  expect(values[0].advice).toMatch(/Signing Secret/)
  expect(values[0].source.settings).toMatchObject({ app: "Our hub" })
  expect((await sources(...args, "--apply")).status).toBe(0)
})
