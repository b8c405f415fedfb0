import { readFile } from "node:fs/promises"
import { z } from "zod"
import { SignalboxError } from "../../src/core/errors.ts"

/** The project's own corpus; `fixtures/correlation/README.md` says what is in it. */
export const ownCorpus = new URL("../../fixtures/correlation/references.jsonl", import.meta.url)

const shape = z.object({
  id: z.union([z.string(), z.number()]),
  title: z.string().nullish(),
  branch: z.string().nullish(),
  body: z.string().nullish(),
  /** Identifiers of the Linear issues that a reader finds: `ENG-123`. */
  expected: z.array(z.string()),
})

export type LabelledRecord = z.infer<typeof shape>

/** The records of a corpus, a line of JSON each. Throws `bad_request` with the number of the first line that is none. */
export async function readRecords(file: string | URL): Promise<LabelledRecord[]> {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SignalboxError("bad_request", `the corpus cannot be read: ${reason}`, { cause })
  }
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return []
    try {
      return [shape.parse(JSON.parse(line))]
    } catch (cause) {
      throw new SignalboxError(
        "bad_request",
        `line ${index + 1} of ${String(file)} is no labelled record: {"id": 1, "title": "…", "branch": "…", "body": "…", "expected": ["ENG-123"]}`,
        { cause },
      )
    }
  })
}
