import { SignalboxError } from "../core/errors.ts"
import { mediaType } from "../core/payload.ts"
import type { Platform } from "../core/platform.ts"

/**
 * Throws 415 for a body that is compressed or of a type that the platform does not take. A signature
 * covers the bytes as sent, and what is stored is what was sent: nothing is inflated on the way.
 */
export function checkMedia(headers: Readonly<Record<string, string>>, platform: Platform): void {
  const encoding = headers["content-encoding"]
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new SignalboxError("unsupported_encoding", "a body must come without Content-Encoding")
  }
  const type = mediaType(headers["content-type"] ?? "")
  if (type === "application/json" || type.endsWith("+json") || platform.contentTypes.includes(type)) return
  throw new SignalboxError(
    "unsupported_media_type",
    `Content-Type must be ${["application/json", ...platform.contentTypes].join(" or ")}`,
  )
}
