import { z } from "zod"
import { optional } from "../core/optional-variable.ts"
import type { ConnectionLimits } from "./connections.ts"

const count = optional(z.coerce.number("must be a number of streams").int().min(1).max(1_000_000))

/** The variables that limit what one process holds for its streams. */
export const streamVariables = {
  SIGNALBOX_MAX_STREAMS: count,
  SIGNALBOX_MAX_STREAMS_BY_KEY: count,
  SIGNALBOX_MAX_STREAMS_BY_ADDRESS: count,
  SIGNALBOX_MAX_UNSENT: optional(
    z
      .string()
      .regex(/^[1-9]\d{0,5}(MB|GB)$/, "must be a size such as 256MB or 2GB")
      .transform((text) => Number.parseInt(text, 10) * (text.endsWith("GB") ? 1e9 : 1e6)),
  ),
}

/** The limits that the variables set; what they do not name is left to its default. */
export function streamLimits(variables: z.output<z.ZodObject<typeof streamVariables>>): ConnectionLimits {
  const limits = {
    maxClients: variables.SIGNALBOX_MAX_STREAMS,
    maxClientsByKey: variables.SIGNALBOX_MAX_STREAMS_BY_KEY,
    maxClientsByAddress: variables.SIGNALBOX_MAX_STREAMS_BY_ADDRESS,
    maxUnsentTotal: variables.SIGNALBOX_MAX_UNSENT,
  }
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
}
