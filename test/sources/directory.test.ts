import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it, onTestFinished, vi } from "vitest"
import { systemClock, type Clock } from "../../src/core/clock.ts"
import type { SourceAdmin } from "../../src/core/source-admin.ts"
import { silentLog } from "../../src/core/log.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createKeyring, type Keyring } from "../../src/sources/keyring.ts"
import { createSourceAdmin } from "../../src/sources/source-admin.ts"
import { createPool } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { testKeyring, testKeys, testSources } from "../support/sources.ts"

const database = await testDatabase()
const pool = database.work
const owner = createPool(database.url, { max: 1 })
afterAll(() => owner.end())

function admin(keyring: Keyring = testKeyring(1), clock: Clock = systemClock): SourceAdmin {
  return createSourceAdmin({ pool, platforms, keyring, clock })
}

const open = (options: Partial<Parameters<typeof testSources>[0]> = {}) =>
  testSources({ database, ...options }, onTestFinished)
const acme = { tenant: "acme", platform: "github" } as const
const at = (name: string) => ({ tenant: null, platform: "github", name })

it("a change made elsewhere is heard of, long before anybody looks", async () => {
  const sources = await open({ pollMs: 3_600_000 })
  await admin().create({ ...acme, name: "heard", secret: "first" })
  const values = () => sources.find("github", "heard")?.secrets.map(({ value }) => value)
  await vi.waitFor(() => expect(values()).toEqual(["first"]), 2_000)
  await admin().rotate(at("heard"), { secret: "second", overlapSeconds: 60 })
  await vi.waitFor(() => expect(values()).toEqual(["second", "first"]), 2_000)
  await admin().edit(at("heard"), { enabled: false, settings: { repo: "acme/api" } })
  await vi.waitFor(() => expect(sources.find("github", "heard")?.off).toMatch(/disabled/), 2_000)
  await pool.query("delete from sources where name = 'heard'")
  await vi.waitFor(() => expect(sources.find("github", "heard")).toBeUndefined(), 2_000)
})

it("a change whose hint is lost is found by looking", async () => {
  const sources = await open({ pollMs: 50 })
  await owner.query(
    `begin;
     alter table sources disable trigger stamp;
     insert into sources (platform, name, version) values ('github', 'unheard', 1);
     update source_version set version = version + 1;
     alter table sources enable trigger stamp;
     commit`,
  )
  await vi.waitFor(() => expect(sources.find("github", "unheard")).toBeDefined(), 2_000)
})

it("a lost connection is made anew, and what changed meanwhile is found", async () => {
  const sources = await open({ pollMs: 3_600_000 })
  await vi.waitFor(async () => {
    const { rows } = await owner.query<{ ended: boolean }>(
      `select pg_terminate_backend(pid) as ended from pg_stat_activity
       where datname = current_database() and application_name = 'signalbox sources'`,
    )
    expect(rows).toContainEqual({ ended: true })
  })
  await admin().create({ ...acme, name: "after-loss", secret: "s" })
  await vi.waitFor(() => expect(sources.find("github", "after-loss")).toBeDefined(), 8_000)
}, 15_000)

it("a secret ends to the second, without anything being read again", async () => {
  let now = new Date()
  const clock = () => now
  await admin(testKeyring(1), clock).create({ ...acme, name: "ending", secret: "old" })
  await admin(testKeyring(1), clock).rotate(at("ending"), { secret: "new", overlapSeconds: 86_400 })
  const sources = await open({ clock })
  const values = () => sources.find("github", "ending")?.secrets.map(({ value }) => value)
  const started = now.getTime()
  expect(values()).toEqual(["new", "old"])
  now = new Date(started + 86_399_000)
  expect(values()).toEqual(["new", "old"])
  now = new Date(started + 86_400_000)
  expect(values()).toEqual(["new"])
})

it("a process without the key says which source is off and how to mend it, and runs the others", async () => {
  await admin(testKeyring(1)).create({ ...acme, name: "theirs", secret: "s" })
  await admin(testKeyring(2)).create({ ...acme, name: "ours", secret: "s" })
  const warned = vi.fn<(fields: object, message: string) => void>()
  const sources = await open({
    keyring: testKeyring(2),
    secrets: new Map([["github", ["env"]]]),
    log: { ...silentLog, warn: warned },
  })
  const [missing] = testKeys(1)
  expect(sources.find("github", "theirs")?.off).toContain(missing?.id)
  expect(sources.find("github", "theirs")?.off).toContain("SIGNALBOX_ENCRYPTION_KEY")
  expect(sources.find("github", "theirs")?.secrets).toEqual([])
  expect(sources.find("github", "ours")).toMatchObject({ secrets: [{ value: "s" }] })
  expect(sources.find("github", "ours")?.off).toBeUndefined()
  expect(sources.find("github", "default")?.off).toBeUndefined()
  expect(warned).toHaveBeenCalledWith(
    expect.objectContaining({ source: "github/theirs", keyId: missing?.id }),
    expect.stringContaining("github/theirs"),
  )
})

it("a secret that was moved to another source, or made a credential, does not open", async () => {
  const one = await admin().create({ ...acme, name: "one", secret: "secret of one" })
  const two = await admin().create({ ...acme, name: "two", secret: "secret of two", credential: "token" })
  await pool.query("delete from source_secrets where source_id = $1 and purpose = 'signing'", [two.source.id])
  await pool.query("update source_secrets set source_id = $1 where source_id = $2", [
    two.source.id,
    one.source.id,
  ])
  const sources = await open()
  const source = sources.find("github", "two")!
  expect(source).toMatchObject({ secrets: [], off: expect.stringMatching(/does not open/) })
  expect(sources.credentialOf(source)).toBe("token")

  await pool.query("update source_secrets set purpose = 'signing' where purpose = 'credential'")
  await sources.refresh()
  expect(sources.find("github", "two")).toMatchObject({
    secrets: [],
    off: expect.stringMatching(/does not open/),
  })
})

it("sealed values and wrapped keys that were exchanged between two secrets do not open", async () => {
  await admin().create({ ...acme, name: "left", secret: "l" })
  await admin().create({ ...acme, name: "right", secret: "r" })
  await pool.query(
    `update source_secrets t set sealed = f.sealed, wrapped_key = f.wrapped_key
     from source_secrets f join sources s on s.id = f.source_id and s.name in ('left', 'right')
     join sources o on o.name in ('left', 'right') and o.id <> s.id
     where t.source_id = o.id`,
  )
  const sources = await open()
  expect(sources.find("github", "left")?.secrets).toEqual([])
  expect(sources.find("github", "right")?.secrets).toEqual([])
})

it("the environment's credential speaks for its own tenant alone", async () => {
  await admin().create({ ...acme, name: "without", secret: "s" })
  await admin().create({ ...acme, name: "with", secret: "s", credential: "theirs" })
  await admin().create({ tenant: "default", platform: "github", name: "mine", secret: "s" })
  const sources = await open({
    credentials: new Map([["github", "ours"]]),
    apiUrls: new Map([["github", "https://ghe.example/api/v3"]]),
  })
  const credential = (name: string) => sources.credentialOf(sources.find("github", name)!)
  expect([credential("without"), credential("with"), credential("mine"), credential("default")]).toEqual([
    null,
    "theirs",
    "ours",
    "ours",
  ])
  expect(sources.apiUrlOf(sources.find("github", "mine")!)).toBe("https://ghe.example/api/v3")
  expect(sources.apiUrlOf(sources.find("linear", "default")!)).toBeNull()
})

it("settings are saved over those that are there", async () => {
  const { source } = await admin().create({ ...acme, name: "kept", secret: "s", settings: { a: 1, b: 2 } })
  const sources = await open()
  await sources.saveSettings(source.id, { b: null, c: { d: null } })
  await vi.waitFor(() => expect(sources.find("github", "kept")?.settings).toEqual({ a: 1, c: { d: null } }))
  await expect(sources.saveSettings("00000000-0000-4000-8000-000000000000", {})).rejects.toMatchObject({
    code: "not_found",
  })
})

it("no secret is stored without a key, and the line says how to make one", async () => {
  const keyless = admin(createKeyring({ configured: [], dataDir: null }))
  await expect(keyless.create({ ...acme, name: "keyless", secret: "s" })).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(/^(?=.*SIGNALBOX_ENCRYPTION_KEY)(?=.*openssl rand -base64 32)[^\n]*$/),
  })
  const { rows } = await pool.query("select from sources where name = 'keyless'")
  expect(rows).toEqual([])
})

it("beside the embedded database a key file is made at the first need, for us alone", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "signalbox-key-"))
  onTestFinished(() => rm(dataDir, { recursive: true }))
  const path = join(dataDir, "encryption.key")
  const keyrings = Array.from({ length: 4 }, () => createKeyring({ configured: [], dataDir }))
  expect(await keyrings[0]!.keys()).toEqual([])
  const sealing = await Promise.all(keyrings.map((keyring) => keyring.sealing()))
  expect(new Set(sealing.map(({ id }) => id)).size).toBe(1)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(Buffer.from(await readFile(path, "utf8"), "base64")).toHaveLength(32)

  const withVariable = createKeyring({ configured: testKeys(1), dataDir })
  expect((await withVariable.keys()).map(({ id }) => id)).toEqual([testKeys(1)[0]?.id, sealing[0]?.id])
  await writeFile(path, "nonsense\n")
  await expect(open({ keyring: createKeyring({ configured: [], dataDir }) })).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringContaining(path),
  })
})
