import { z } from "zod"
import type { Problem } from "../problem.ts"

/** A problem detail (RFC 9457), the body of every error. */
export const problem = z
  .object({
    type: z.string().describe("`urn:signalbox:problem:` and the code."),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What is wrong, for whoever must mend it. Never match on it."),
    code: z.string().describe("Machine-readable reason: `bad_request`, `not_found`, `conflict`, …"),
    instance: z
      .string()
      .exactOptional()
      .describe("Names this one failure; the hub's log has its cause under it."),
  })
  .meta({
    id: "Problem",
    description: "A problem detail (RFC 9457); some have further members.",
  }) satisfies z.ZodType<Omit<Problem, "code">>
