import type { Message } from "../../core/platform.ts"
import { refusal } from "../../core/submission.ts"
import { deploymentSchema } from "./schema.ts"
import type { Reading } from "./sender.ts"

/** Reads our own form. Throws 400 naming each field at fault: whoever writes it is told what to mend. */
export function readStrictly({ payload }: Message): Reading {
  const parsed = deploymentSchema.safeParse(payload)
  if (!parsed.success) throw refusal("not a deployment", parsed.error)
  return { word: null, id: null, deployment: parsed.data }
}
