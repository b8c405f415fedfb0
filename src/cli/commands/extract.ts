import { pipeline } from "node:stream/promises"
import { z } from "zod"
import { SignalboxError } from "../../core/errors.ts"
import { misspelt } from "../../core/nearest-name.ts"
import { createExtractor, type TextRecord } from "../../correlation/extract-record.ts"
import { platforms } from "../../platforms/index.ts"
import { textOption, type Command } from "../command.ts"
import { readLines, type NumberedLine } from "../read-lines.ts"
import { parseTeamKeys } from "../team-keys.ts"

const maxLineBytes = 8 * 1024 * 1024

const recordShape = z.object({
  id: z.union([z.string(), z.number()], {
    error: ({ input }) =>
      `${input === undefined ? "is missing" : "must be text or a number"}; by it each answer names its record`,
  }),
  title: z.string().nullish(),
  branch: z.string().nullish(),
  body: z.string().nullish(),
})

const members = Object.keys(recordShape.shape)

/** `signalbox extract`: the references in records from standard input, a line of JSON each. */
export const extractCommand: Command = {
  name: "extract",
  summary: "Show the references in records {id, title, branch, body} from standard input, one a line",
  usage: "[--team-keys A,B] < records.jsonl",
  options: { "team-keys": { type: "string" } },
  async run({ options, signal }) {
    if (process.stdin.isTTY)
      throw new SignalboxError("bad_request", "pipe the records in, one JSON object a line")
    const keys = textOption(options, "team-keys")
    const extract = createExtractor(platforms, keys === undefined ? {} : { teamKeys: parseTeamKeys(keys) })
    let failed = false

    async function* answers(stream: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
      for await (const line of readLines(stream, maxLineBytes)) {
        const record = readRecord(line)
        if (record === null) continue
        if (typeof record !== "string") {
          yield `${JSON.stringify({ id: record.id, references: extract(record) })}\n`
          continue
        }
        failed = true
        process.stderr.write(`signalbox extract: line ${line.number}: ${record}\n`)
      }
    }

    try {
      await pipeline(process.stdin, answers, process.stdout, { end: false, signal })
    } catch (error) {
      if (signal.aborted) return 130
      // Whoever reads the answers has had enough of them: `| head`.
      if (!isClosedPipe(error)) throw error
    }
    return failed ? 1 : 0
  },
}

/** The record on a line, null for an empty line, or what is wrong with it. */
function readRecord({ bytes }: NumberedLine): TextRecord | string | null {
  if (bytes === null) return `longer than ${maxLineBytes / 1024 / 1024} MiB`
  let value: unknown
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    if (text.trim() === "") return null
    value = JSON.parse(text)
  } catch (error) {
    return error instanceof SyntaxError ? `not JSON (${error.message})` : "not UTF-8"
  }
  const fault = typeof value === "object" && value !== null ? misspelt(value, members) : null
  if (fault !== null) return `not a record: ${fault}`
  const record = recordShape.safeParse(value)
  if (record.success) return record.data
  const [issue] = record.error.issues
  return `not a record: ${issue?.path.join(".") || "the line"}: ${issue?.message}`
}

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE"
}
