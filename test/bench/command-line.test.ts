import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"

const program = fileURLToPath(new URL("../../bench/main.ts", import.meta.url))
const folder = await mkdtemp(join(tmpdir(), "signalbox-bench-"))
afterAll(() => rm(folder, { recursive: true }))

async function bench(...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  const [out, errors, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ])
  return { status, out, errors }
}

it("help is given, and is no failure", async () => {
  for (const args of [["references", "--help"], ["--help"]]) {
    const { status, out, errors } = await bench(...args)
    expect([status, errors]).toEqual([0, ""])
    expect(out).toMatch(/^usage: npm run bench -- ingest[^]*references \[--corpus FILE\]/)
  }
})

it("a mistake on the command line is told without a stack", async () => {
  const broken = join(folder, "broken.jsonl")
  await writeFile(broken, '{"id": 1, "expected": []}\n{"id": 2}\n')
  for (const [args, words] of [
    [
      ["references", "--corpus", join(folder, "none.jsonl")],
      /^bench references: the corpus cannot be read: .*none\.jsonl/,
    ],
    [
      ["references", "--corpus", broken],
      /^bench references: line 2 of .*broken\.jsonl is no labelled record: \{"id": 1/,
    ],
    [["references", "--corpsu", "x"], /^bench references: Unknown option '--corpsu'/],
    [["correlation", "--stories", "many"], /^bench correlation: --stories must be a whole number/],
    [["nonsense"], /^usage: npm run bench/],
  ] as const) {
    const { status, errors } = await bench(...args)
    expect([status, errors]).toEqual([2, expect.stringMatching(words)])
    expect(errors).not.toMatch(/^ +at /m)
  }
})
