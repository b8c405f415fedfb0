import { SignalboxError } from "../core/errors.ts"
import type { ConsumerDefinition } from "./definition.ts"

const longestTimer = 2 ** 31 - 1

/** Throws `configuration` for figures that a consumer cannot have. */
export function checkDefinition(definition: ConsumerDefinition): void {
  const { name, partitions = 1, concurrency = 1, from = "head", timeoutMs = 1 } = definition
  const refuse = (reason: string) => new SignalboxError("configuration", `consumer "${name}": ${reason}`)
  if (!whole(partitions, 1, 256)) throw refuse("partitions must be a whole number from 1 to 256")
  if (!whole(concurrency, 1, 10_000)) throw refuse("concurrency must be a whole number from 1 to 10,000")
  if (!(timeoutMs > 0 && timeoutMs <= longestTimer)) {
    throw refuse(`timeoutMs must be above 0 and ${longestTimer} at most`)
  }
  if (typeof from === "number" && !whole(from, 0, Number.MAX_SAFE_INTEGER)) {
    throw refuse('from must be "head", "earliest" or a position')
  }
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}
