import { z } from "zod"

const tenant = z.string().nullable()

/** What every process with open streams may be asked about them; a tenant of null stands for all. */
export const streamQuestion = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("list"), tenant }),
  /** What is counted since the start is told for all of them only. */
  z.object({ kind: z.literal("stats"), tenant }),
  z.object({ kind: z.literal("close"), tenant, id: z.string() }),
  /** `json` is said to the clients of these names; to all where they are null. */
  z.object({ kind: z.literal("broadcast"), tenant, names: z.array(z.string()).nullable(), json: z.string() }),
])
export type StreamQuestion = z.infer<typeof streamQuestion>

/** What came of a question. */
export interface StreamReplies {
  answers: { node: string; answer: unknown }[]
  /** Nodes that should have answered, and have not within the time. */
  unanswered: string[]
}

/** Asks all processes that serve streams. */
export type AskStreams = (question: StreamQuestion) => Promise<StreamReplies>
