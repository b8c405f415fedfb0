const known = ["gzip", "br"] as const

/** A content coding that streams are sent in; identity where null. */
export type ContentCoding = (typeof known)[number] | null

/**
 * The coding to answer in, by `Accept-Encoding` (RFC 9110, section 12.5.3): the one wanted most, and of
 * equals gzip, which is made once for all clients.
 */
export function contentCoding(accepted: string | undefined): ContentCoding {
  const weights = new Map(
    (accepted ?? "").split(",").map((item) => {
      const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith("q="))
      return [name, weight === undefined ? 1 : Number(weight.slice(2)) || 0] as const
    }),
  )
  const weightOf = (name: string): number => weights.get(name) ?? weights.get("*") ?? 0
  const [best] = known.toSorted((a, b) => weightOf(b) - weightOf(a))
  const identity = weights.get("identity") ?? 0
  return best !== undefined && weightOf(best) > 0 && weightOf(best) >= identity ? best : null
}
