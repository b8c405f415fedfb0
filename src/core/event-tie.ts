import { hash } from "node:crypto"
import type { StoredEvent } from "./envelope.ts"

const beginnings = new Set(["created", "create", "opened", "posted"])
const endings = new Set(["closed", "deleted", "remove", "removed"])
const digestBits = 48

/**
 * What orders events about one thing at one time of its sender's clock, which may know seconds only: the
 * thing's beginning first, its end last, and the rest by their delivery keys. So a story is told the same
 * in whatever order it came. A safe integer.
 */
export function eventTie({ platform, source, deliveryId, type }: StoredEvent): number {
  const verb = type.slice(type.lastIndexOf(".") + 1)
  const rank = beginnings.has(verb) ? 0 : endings.has(verb) ? 2 : 1
  const digest = hash("sha256", [platform, source, deliveryId].join("\n"), "buffer")
  return rank * 2 ** digestBits + digest.readUIntBE(0, digestBits / 8)
}
