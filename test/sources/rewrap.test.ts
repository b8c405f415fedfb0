import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { beforeEach, expect, it, onTestFinished, vi } from "vitest"
import { sourcesCommand } from "../../src/cli/commands/sources/index.ts"
import { systemClock } from "../../src/core/clock.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createSourceAdmin } from "../../src/sources/source-admin.ts"
import { transaction } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { runCommand, runJsonCommand } from "../support/run-command.ts"
import { testKeyring, testKeys, testKeyText, testSources } from "../support/sources.ts"

const database = await testDatabase()
const pool = database.work
const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))
const names = Array.from({ length: 20 }, (_, n) => `source-${n}`)

const envOf = (...keys: readonly number[]) => ({
  DATABASE_URL: database.url,
  SIGNALBOX_ENCRYPTION_KEY: keys.map(testKeyText).join(","),
})

beforeEach(async () => {
  await pool.query("delete from sources")
})

async function addSources(key: number): Promise<void> {
  const admin = createSourceAdmin({ pool, platforms, keyring: testKeyring(key), clock: systemClock })
  for (const name of names) {
    await admin.create({
      tenant: "acme",
      platform: "github",
      name,
      secret: name,
      credential: `token-${name}`,
    })
  }
}

async function secretsUnder(key: number): Promise<number> {
  const { rows } = await pool.query("select from source_secrets where key_id = $1", [testKeys(key)[0]?.id])
  return rows.length
}

async function rewrap(...keys: readonly number[]) {
  const { status, values } = await runJsonCommand(sourcesCommand, ["rewrap"], envOf(...keys))
  return { status, report: values[0] }
}

it("killed in the middle it goes on where it was, and the old key can be dropped afterwards", async () => {
  await addSources(1)
  const { rows } = await pool.query<{ id: string }>("select id from sources order by id offset 10 limit 1")
  const killed = await transaction(pool, async (db) => {
    await db.query("select from sources where id = $1 for update", [rows[0]?.id]) // it gets no further
    const child = spawn(process.execPath, [program, "sources", "rewrap"], {
      env: { PATH: process.env["PATH"], ...envOf(2, 1) },
    })
    onTestFinished(() => void child.kill("SIGKILL"))
    await vi.waitFor(async () => expect(await secretsUnder(2)).toBe(20), { timeout: 20_000, interval: 50 })
    child.kill("SIGKILL")
    const [, signal] = await once(child, "exit")
    return signal
  })
  expect(killed).toBe("SIGKILL")

  const rest = await rewrap(2, 1)
  expect(rest).toMatchObject({
    status: 0,
    report: { keyId: testKeys(2)[0]?.id, rewrapped: 20, before: 20, unknown: [], damaged: [] },
  })
  expect(await rewrap(2, 1)).toMatchObject({ status: 0, report: { rewrapped: 0, before: 40 } })

  const sources = await testSources({ database, keyring: testKeyring(2) }, onTestFinished)
  for (const name of names) {
    const source = sources.find("github", name)!
    expect(source.secrets.map(({ value }) => value)).toEqual([name])
    expect(sources.credentialOf(source)).toBe(`token-${name}`)
  }
}, 40_000)

it("says which secrets are under a key that it does not have, and does the others", async () => {
  await addSources(1)
  await pool.query("update sources set name = 'old-' || name")
  await addSources(3)
  const { status, report } = await rewrap(2, 1)
  expect(status).toBe(1)
  expect(report).toMatchObject({
    rewrapped: 40,
    unknown: [{ keyId: testKeys(3)[0]?.id, secrets: 40 }],
    damaged: [],
  })
  const { lines } = await runCommand(sourcesCommand, ["rewrap"], envOf(2))
  expect(lines.join("\n")).toMatch(
    new RegExp(`40 secrets are under the key ${testKeys(3)[0]?.id}.*SIGNALBOX_ENCRYPTION_KEY`),
  )
})

it("a secret that was tampered with is named and left, and the others are done", async () => {
  await addSources(1)
  await pool.query(
    "update source_secrets set wrapped_key = sealed where id = (select min(id::text)::uuid from source_secrets)",
  )
  const { status, report } = await rewrap(2, 1)
  expect(status).toBe(1)
  expect(report).toMatchObject({ rewrapped: 39, damaged: [{ id: expect.any(String) }] })
})

it("a running process that has both keys notices nothing", async () => {
  await addSources(1)
  const sources = await testSources({ database, keyring: testKeyring(2, 1) }, onTestFinished)
  await rewrap(2, 1)
  await sources.refresh()
  expect(sources.list().filter(({ tenant, off }) => tenant === "acme" && off !== undefined)).toEqual([])
})
