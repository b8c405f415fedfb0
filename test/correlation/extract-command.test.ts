import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished } from "vitest"

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [program, "extract", ...args], {
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  return child
}

async function extract(input: string | Buffer, ...args: string[]) {
  const child = start(args)
  const ended = once(child, "exit")
  child.stdin.on("error", () => undefined) // it may refuse its arguments before it reads
  child.stdin.end(input)
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [status] = await ended
  const lines = out.split("\n").filter((line) => line !== "")
  return { status, records: lines.map((line) => JSON.parse(line)), errors: errors.trim().split("\n") }
}

const issueUrl = "https://linear.app/acme/issue/ENG-2/carts"

it("each record is answered by one line with its references, links and evidence", async () => {
  const input = {
    id: "a",
    title: "ENG-1: carts",
    branch: "eng-1-carts",
    body: `Fixes ${issueUrl}, like WEB-3`,
  }
  const { status, records } = await extract(JSON.stringify(input))
  expect(status).toBe(0)
  expect(records).toEqual([
    {
      id: "a",
      references: [
        {
          entity: "linear:issue:ENG-1",
          relation: "implements",
          strength: "strong",
          evidence: { field: "title", start: 0, end: 5, text: "ENG-1" },
        },
        {
          entity: "linear:issue:ENG-1",
          relation: "implements",
          strength: "strong",
          evidence: { field: "branch", start: 0, end: 5, text: "eng-1" },
        },
        {
          entity: "linear:issue:ENG-2",
          relation: "implements",
          strength: "strong",
          evidence: { field: "body", start: 6, end: 6 + issueUrl.length, text: issueUrl },
        },
        {
          entity: "linear:issue:WEB-3",
          relation: "mentions",
          strength: "weak",
          evidence: { field: "body", start: 13 + issueUrl.length, end: 18 + issueUrl.length, text: "WEB-3" },
        },
      ],
    },
  ])
})

type Shown = Record<"entity" | "relation" | "strength", string>

it("with team keys, theirs count in any case, and no others do", async () => {
  const title = "on to the web-75 retry"
  const line = JSON.stringify({ id: 1, title, body: "Fixes ENG-1, UTF-8; like ENG-2" })
  const shown = ({ records }: Awaited<ReturnType<typeof extract>>) =>
    records.flatMap(({ references }) =>
      references.map(({ entity, relation, strength }: Shown) => `${relation} ${entity} ${strength}`),
    )
  expect(shown(await extract(line))).toEqual([
    "implements linear:issue:ENG-1 strong",
    "mentions linear:issue:ENG-2 weak",
  ])
  expect(shown(await extract(line, "--team-keys", "web, PLAT"))).toEqual([
    "implements linear:issue:WEB-75 strong",
  ])
})

it("bad lines are told by their number and stop no other", async () => {
  const lines = [
    '{"id":1,"title":"ENG-1"}',
    "nonsense",
    '{"title":"ENG-2"}',
    '{"id":2,"title":3}',
    "",
    JSON.stringify({ id: 3, body: "x".repeat(9 * 1024 * 1024) }),
  ]
  const { status, records, errors } = await extract(
    Buffer.concat([Buffer.from(lines.join("\n")), Buffer.from([0x0a, 0xff, 0x0a]), Buffer.from('{"id":4}')]),
  )
  expect(status).toBe(1)
  expect(records.map(({ id }) => id)).toEqual([1, 4])
  expect(errors.map((line) => /^signalbox extract: line (\d+): \S/.exec(line)?.[1])).toEqual([
    "2",
    "3",
    "4",
    "6",
    "7",
  ])
})

it("a record whose members are misspelt or missing is told what to mend", async () => {
  const lines = [
    '{"id":1,"titel":"ENG-14"}',
    '{"title":"ENG-14"}',
    '{"id":null}',
    '{"ID":1}',
    '{"id":5,"title":"ENG-14","number":3,"titles":1}',
  ]
  const { status, records, errors } = await extract(lines.join("\n"))
  expect(status).toBe(1)
  expect(records.map(({ id }) => id)).toEqual([5])
  expect(errors).toEqual([
    "signalbox extract: line 1: not a record: unknown member titel; did you mean title?",
    "signalbox extract: line 2: not a record: id: is missing; by it each answer names its record",
    "signalbox extract: line 3: not a record: id: must be text or a number; by it each answer names its record",
    "signalbox extract: line 4: not a record: unknown member ID; did you mean id?",
  ])
})

it("unusable team keys are refused", async () => {
  const { status, errors } = await extract("", "--team-keys", "ENG,,WEB")
  expect(status).toBe(2)
  expect(errors.join()).toContain("--team-keys")
})

it("an input without end is answered as it comes, and no more is read than is taken", async () => {
  const child = start([])
  const line = `${JSON.stringify({ id: 1, title: "ENG-1", body: "x".repeat(1000) })}\n`
  child.stdin.write(line)
  const [first] = await once(child.stdout, "data")
  expect(String(first)).toContain("linear:issue:ENG-1")

  // Nobody reads on: what is written must come to a stand.
  child.stdout.pause()
  let written = 0
  const block = line.repeat(500)
  while (written < 64 * 1024 * 1024) {
    written += block.length
    if (child.stdin.write(block)) continue
    const drained = once(child.stdin, "drain").then(() => true)
    if (!(await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 2_000, false))]))) break
  }
  expect(written).toBeLessThan(64 * 1024 * 1024)

  // And whoever has had enough may go.
  child.stdin.on("error", () => undefined)
  child.stdout.destroy()
  const [status] = await once(child, "exit")
  expect(status).toBe(0)
}, 30_000)
