import { SignalboxError } from "../core/errors.ts"
import { mediaType } from "../core/payload.ts"
import type { Platform } from "../core/platform.ts"
import type { Coding } from "./inflate.ts"

/** Throws 415 for a body of a type that the platform does not take. */
export function checkMedia(headers: Readonly<Record<string, string>>, platform: Platform): void {
  const type = mediaType(headers["content-type"] ?? "")
  if (type === "application/json" || type.endsWith("+json") || platform.contentTypes.includes(type)) return
  throw new SignalboxError(
    "unsupported_media_type",
    `Content-Type must be ${["application/json", ...platform.contentTypes].join(" or ")}`,
  )
}

const codings: Readonly<Record<string, Coding | null>> = {
  "": null,
  identity: null,
  gzip: "gzip",
  "x-gzip": "gzip", // RFC 9110, section 8.4.1.3
  deflate: "deflate",
  br: "br",
}

/** How a body is compressed; null where it is not. Throws 415 for several codings, and for unknown ones. */
export function codingOf(contentEncoding: string | undefined): Coding | null {
  const name = (contentEncoding ?? "").trim().toLowerCase()
  const coding = Object.hasOwn(codings, name) ? codings[name] : undefined
  if (coding !== undefined) return coding
  throw new SignalboxError("unsupported_encoding", "Content-Encoding must be one of gzip, deflate and br")
}
