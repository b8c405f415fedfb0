import { beforeEach, expect, onTestFinished, test } from "vitest"
import { platforms } from "../../src/platforms/index.ts"
import { testSources } from "../support/sources.ts"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()
const db = database.work
const secrets = new Map([["github", ["first", "second"]]])

beforeEach(async () => {
  await db.query("delete from sources")
})

const open = (options: Parameters<typeof testSources>[0]) => testSources(options, onTestFinished)

async function rows(): Promise<unknown[]> {
  const result = await db.query("select tenant, platform, name, enabled from sources order by platform, name")
  return result.rows
}

test("every platform has its default source, with all its secrets or off with the reason", async () => {
  const sources = await open({ database, platforms, secrets })
  expect(sources.find("github", "default")).toEqual({
    id: expect.any(String),
    tenant: "default",
    platform: "github",
    name: "default",
    settings: {},
    secrets: [
      { id: "env:1", value: "first" },
      { id: "env:2", value: "second" },
    ],
  })
  expect(sources.find("linear", "default")).toMatchObject({
    secrets: [],
    off: "linear is off: LINEAR_WEBHOOK_SECRET is not set",
  })
  expect(sources.list()).toHaveLength(platforms.length)
  expect(await rows()).toHaveLength(platforms.length)
})

test("opening sources again, or by several processes at once, makes no row twice", async () => {
  await Promise.all(Array.from({ length: 5 }, () => open({ database, platforms, secrets })))
  expect(await rows()).toHaveLength(platforms.length)
})

test("further sources have a tenant and secrets of their own", async () => {
  const extra = [{ platform: "github", name: "acme", tenant: "acme", secrets: ["theirs"] }]
  const sources = await open({ database, platforms, secrets, extra })
  expect(sources.find("github", "acme")).toEqual({
    id: expect.any(String),
    tenant: "acme",
    platform: "github",
    name: "acme",
    settings: {},
    secrets: [{ id: "hub:1", value: "theirs" }],
  })
  expect(sources.find("linear", "acme")).toBeUndefined()
  expect(sources.find("github/acme", "")).toBeUndefined()
  expect(await rows()).toContainEqual({ tenant: "acme", platform: "github", name: "acme", enabled: true })
})

test("a source that is disabled in the database is off", async () => {
  await open({ database, platforms, secrets })
  await db.query("update sources set enabled = false where platform = 'github'")
  const sources = await open({ database, platforms, secrets })
  expect(sources.find("github", "default")?.off).toBe("source github/default is disabled")
})

test.each([
  [
    "of an unknown platform",
    { platform: "gitlab", name: "x", secrets: ["s"] },
    "source gitlab/x: unknown platform",
  ],
  [
    "with a name no path can hold",
    { platform: "github", name: "a/b", secrets: ["s"] },
    "source github/a/b: a name",
  ],
  ["without a secret", { platform: "github", name: "x", secrets: [] }, "source github/x: it has no secret"],
  [
    "with an empty secret",
    { platform: "github", name: "x", secrets: [""] },
    "source github/x: the secret is empty",
  ],
])("a source %s stops the start with a line that names it", async (_, source, line) => {
  await expect(open({ database, platforms, secrets, extra: [source] })).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringContaining(line),
  })
})

test("a name that another tenant holds is not taken over", async () => {
  const source = { platform: "github", name: "shared", secrets: ["s"] }
  await open({ database, platforms, secrets, extra: [{ ...source, tenant: "acme" }] })
  await expect(
    open({ database, platforms, secrets, extra: [{ ...source, tenant: "umbrella" }] }),
  ).rejects.toMatchObject({ code: "configuration", message: "source github/shared belongs to tenant acme" })
})
