import type { CustomPayload } from "./schema.ts"

/** Payloads by the name a handler is registered under, which is the event's own type. */
export type CustomEvents = Record<string, CustomPayload>
