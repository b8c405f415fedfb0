import { execFile } from "node:child_process"
import { Writable } from "node:stream"
import { promisify } from "node:util"
import { pino } from "pino"
import { afterAll, expect, it } from "vitest"
import { sourcesCommand } from "../../src/cli/commands/sources/index.ts"
import { createPool } from "../../src/store/database.ts"
import { platforms } from "../../src/platforms/index.ts"
import { adminKey, startTestHub } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"
import { testKeyText } from "../support/sources.ts"
import { sendPing } from "./ping.ts"

const logged: string[] = []
const stream = new Writable({
  write(chunk, _, done) {
    logged.push(String(chunk))
    done()
  },
})

/** Every secret that was ever given or made, by where it came from. */
const secrets = new Map<string, string>([
  ["environment", "environment-signing-secret-0001"],
  ["hub option", "hub-option-signing-secret-0002"],
  ["api", "api-signing-secret-0003"],
  ["api rotated", "api-rotated-signing-secret-0004"],
  ["api credential", "ghp_api_credential_0005"],
  ["api credential replaced", "ghp_api_credential_0006"],
  ["command", "command-signing-secret-0007"],
  ["command credential", "lin_api_command_credential_0008"],
  ["environment credential", "ghp_environment_credential_0009"],
  ["refused", "refused-secret-0010"],
  ["encryption key", testKeyText(0x5ec7e7)],
])
const valueOf = (name: string) => secrets.get(name) ?? ""

const hub = await startTestHub({
  log: pino({ level: "trace" }, stream),
  secrets: { github: [valueOf("environment")] },
  sources: [{ platform: "github", name: "option", secrets: [valueOf("hub option")] }],
  env: {
    SIGNALBOX_ENCRYPTION_KEY: valueOf("encryption key"),
    GITHUB_TOKEN: valueOf("environment credential"),
  },
})
const owner = createPool(hub.database.url, { max: 1 })
afterAll(() => owner.end())

async function post(path: string, body: unknown, method = "POST") {
  return hub.json(`/api/v1/sources${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  })
}

const deliver = (path: string, secret: string) => sendPing(`${hub.url}/webhooks/github${path}`, secret)

it("secrets come by every path, and webhooks are taken under each", async () => {
  const [api, rotated] = [valueOf("api"), valueOf("api rotated")]
  await post("", { platform: "github", name: "api", secret: api, credential: valueOf("api credential") })
  await post("/github/api", { credential: valueOf("api credential replaced") }, "PATCH")
  await post("/github/api/rotate", { secret: rotated })
  const generated = await post("", { platform: "github", name: "generated" })
  secrets.set("generated", generated.body.secret)
  const whsec = await post("", { platform: "deployment", name: "generated" })
  secrets.set("generated whsec", whsec.body.secret)
  const again = await post("/github/generated/rotate", { overlapSeconds: 60 })
  secrets.set("generated at rotation", again.body.secret)
  await post("", { platform: "github", name: "x", colour: 1, secret: valueOf("refused") })
  await post("", { platform: "deployment", name: "x", secret: valueOf("refused") })
  await post("", { platform: "github", name: "api", secret: valueOf("refused") })
  const env = {
    DATABASE_URL: hub.database.url,
    SIGNALBOX_ENCRYPTION_KEY: `${testKeyText(7)},${valueOf("encryption key")}`,
    S: valueOf("command"),
    T: valueOf("command credential"),
  }
  await runCommand(sourcesCommand, ["add", "linear/command", "--secret-env", "S", "--token-env", "T"], env)
  const hubsFirst = `${valueOf("encryption key")},${testKeyText(7)}`
  await runCommand(sourcesCommand, ["rewrap"], { ...env, SIGNALBOX_ENCRYPTION_KEY: hubsFirst })
  await runCommand(sourcesCommand, ["test", "github/api", "--url", hub.url, "--key", adminKey], env)

  const paths: [string, string][] = [
    ["", valueOf("environment")],
    ["/option", valueOf("hub option")],
    ["/api", api],
    ["/api", rotated],
    ["/generated", generated.body.secret],
    ["/generated", again.body.secret],
  ]
  for (const [path, secret] of paths) expect(await deliver(path, secret)).toBe(202)
  for (const [path] of paths) expect(await deliver(path, "wrong")).toBe(401)
})

/** A secret as it may stand in a text: itself, in hex, and in base64 from any of the three offsets. */
function* disguises(bytes: Buffer): Generator<string> {
  yield bytes.toString("latin1")
  yield bytes.toString("hex")
  yield bytes.toString("hex").toUpperCase()
  for (const offset of [0, 1, 2]) {
    for (const encoding of ["base64", "base64url"] as const) {
      const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString(encoding)
      // Letters at either end may stand for bits of what is beside it.
      yield text.replace(/=+$/, "").slice(offset === 0 ? 0 : offset + 1, -1)
    }
  }
}

function* formsOf(secret: string): Generator<string> {
  yield* disguises(Buffer.from(secret))
  if (secret.startsWith("whsec_")) yield* disguises(Buffer.from(secret.slice(6), "base64"))
  if (/^[0-9a-f]{64}$/.test(secret)) yield* disguises(Buffer.from(secret, "hex"))
}

function found(text: string): string[] {
  return [...secrets].flatMap(([name, secret]) =>
    [...formsOf(secret)].some((form) => text.includes(form)) ? [name] : [],
  )
}

it("the search finds a secret in each of its disguises", () => {
  const secret = valueOf("generated whsec")
  for (const text of [
    secret,
    Buffer.from(`x${secret}`).toString("hex"),
    Buffer.from(`{"a":"${secret}"}`).toString("base64"),
  ])
    expect(found(`beside ${text} it`)).toContain("generated whsec")
})

it("no row of any table, in any schema, holds a secret", async () => {
  const { rows: tables } = await owner.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and n.nspname not in ('information_schema') and n.nspname !~ '^pg_(toast|temp)'
       and has_table_privilege(c.oid, 'select')`,
  )
  expect(tables.map(({ schema }) => schema)).toContain("pgboss")
  expect(tables.map(({ name }) => name)).toContain("source_secrets")
  let sealed = 0
  for (const { schema, name } of tables) {
    const { rows } = await owner.query<{ line: string }>(
      `select t::text as line from "${schema}"."${name}" t`,
    )
    if (name === "source_secrets") sealed = rows.length
    expect({ table: `${schema}.${name}`, holds: found(rows.map(({ line }) => line).join("\n")) }).toEqual({
      table: `${schema}.${name}`,
      holds: [],
    })
  }
  expect(sealed).toBeGreaterThanOrEqual(7)
})

it("a dump by pg_dump holds none either", async (context) => {
  const dumped = await promisify(execFile)("pg_dump", [hub.database.url], { maxBuffer: 1 << 28 }).catch(
    () => null,
  )
  if (dumped === null) context.skip("there is no pg_dump here that fits the server")
  expect(dumped?.stdout).toContain("source_secrets")
  expect(found(dumped?.stdout ?? "")).toEqual([])
})

it("the log holds none, and it was written", () => {
  const text = logged.join("")
  expect(text).toContain("a webhook was refused")
  expect(found(text)).toEqual([])
})

it("what the API tells of sources holds none", async () => {
  const { body } = await hub.json("/api/v1/sources?limit=500")
  expect(body.sources.length).toBeGreaterThan(platforms.length)
  expect(found(JSON.stringify(body))).toEqual([])
  for (const path of ["/github/api", "/github/api/secrets", "/github/api/receipts"]) {
    expect(found(await (await hub.request(`/api/v1/sources${path}`)).text())).toEqual([])
  }
})
