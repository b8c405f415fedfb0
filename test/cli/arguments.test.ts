import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { commands } from "../../src/cli/commands/index.ts"
import { readArguments } from "../../src/cli/read-arguments.ts"

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

async function read(line: string) {
  const [name, ...args] = line.split(" ")
  const command = commands.find((one) => one.name === name)
  if (command === undefined) throw new Error(`no command ${name}`)
  return readArguments(command, args)
}

it.each([
  "serve extra",
  "migrate extra",
  "keys create me extra --scopes admin",
  "keys list extra",
  "keys limit one extra --events-per-second 2",
  "keys revoke one extra",
  "sources list extra",
  "sources add github/acme extra",
  "sources test github extra --url https://hub.example",
  "sources connect github --url https://hub.example extra",
  "sources completeness github extra",
  "subscriptions list extra",
  "subscriptions add one https://hook.example extra",
  "subscriptions retry one extra --status dead",
  "consumer-groups show one extra",
  "replay start one extra",
  "replay list extra",
  "dead-letters list extra",
  "dead-letters retry one extra",
  "tail pr_events extra",
  "send event.json extra",
  "status ENG-123 extra",
  "timeline ENG-123 extra",
  "explain ENG-123 acme/api#42 extra",
  "correlation rules extra",
  "correlation dry-run --without mention extra",
  "extract extra",
  "reprocess --since 1d extra",
  "sql select extra",
])("%s: what nobody would read is refused, with the usage", async (line) => {
  const [name, action] = line.split(" ")
  const hasActions = commands.find((one) => one.name === name)?.usageOf !== undefined
  await expect(read(line)).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringMatching(/^"extra" is one argument too many\nusage: signalbox /),
  })
  await expect(read(line)).rejects.toThrow(`usage: signalbox ${name} ${hasActions ? action : ""}`.trimEnd())
})

it.each([
  "status ENG-123",
  "tail",
  "tail pr_events",
  "send",
  "explain ENG-123 acme/api#42",
  "sources",
  "sources completeness",
  "sources connect github --url https://hub.example --repo acme/api",
  "subscriptions add one https://hook.example",
  "dead-letters retry --consumer one",
  "correlation dry-run --rule one.js --rule two.js",
  "sql select",
  "status ENG-123 extra --help",
])("%s: what its usage names is taken", async (line) => {
  await expect(read(line)).resolves.toBeDefined()
})

it("of an action that there is not, the command tells", async () => {
  await expect(read("sources lost github extra")).resolves.toBeDefined()
})

it.each([
  ["status --asof 2026-11-01 ENG-123", "there is no option --asof: did you mean --as-of?"],
  ["tail --type=a.b", "there is no option --type: did you mean --types?"],
  ["serve --prot 80", "there is no option --prot: did you mean --port?"],
  ["migrate --jsn", "there is no option --jsn: did you mean --json?"],
  ["sources connect github --rebo acme/api", "there is no option --rebo: did you mean --repo?"],
  ["status --verbose ENG-123", "there is no option --verbose: signalbox status --help lists those there are"],
  ["status -v ENG-123", "there is no option -v: signalbox status --help lists those there are"],
])("%s: %s", async (line, message) => {
  await expect(read(line)).rejects.toMatchObject({ code: "bad_request", message })
})

it("either is a mistake in the command: it ends with 2 before it does anything", () => {
  for (const args of [
    ["status", "ENG-123", "extra"],
    ["status", "--asof", "2026-11-01", "ENG-123"],
  ]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" })
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" })
    expect(stderr).toMatch(
      /^signalbox status: (there is no option --asof|"extra" is one argument too many\nusage: )/,
    )
  }
})

it("a command that there is not, is told with the one that may be meant", () => {
  for (const [name = "", words = ""] of [
    ["staus", "no command staus: did you mean status?"],
    ["everything", "no command everything: signalbox help lists them"],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [program, name], { encoding: "utf8" })
    expect({ status, stderr }).toEqual({ status: 2, stderr: `signalbox: ${words}\n` })
  }
})
