import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { z } from "zod"

const shape = z.array(z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }))

/** One payload of `@octokit/webhooks-examples`, as JSON text in bytes. */
export interface OctokitExample {
  /** Value of X-GitHub-Event. */
  event: string
  payload: Readonly<Record<string, unknown>>
  body: Buffer
}

/** All payloads of `@octokit/webhooks-examples`, in its order. */
export function octokitExamples(): OctokitExample[] {
  const file = createRequire(import.meta.url).resolve("@octokit/webhooks-examples")
  const definitions = shape.parse(JSON.parse(readFileSync(file, "utf8")))
  return definitions.flatMap(({ name, examples }) =>
    examples.map((payload) => ({ event: name, payload, body: Buffer.from(JSON.stringify(payload)) })),
  )
}
