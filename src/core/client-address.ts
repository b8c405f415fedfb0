import { isIP } from "node:net"

/** Whether an address is that of a proxy whose word is taken. */
export type IsProxy = (address: string) => boolean

/**
 * Where a request comes from: the address of the socket, or, where that is a trusted proxy's, the last one in
 * `X-Forwarded-For` that is none of them. What stands before it was written by the client itself, and may be
 * anything. Empty where the socket is gone.
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: string | undefined,
  isProxy: IsProxy,
): string {
  let address = plain(socketAddress ?? "")
  for (const hop of (forwardedFor ?? "").split(",").toReversed()) {
    if (address === "" || !isProxy(address)) return address
    const next = plain(hop.trim())
    if (isIP(next) === 0) return address // a proxy that hides what is behind it: `unknown`, `_name`
    address = next
  }
  return address
}

/** An address without a port or a zone, and IPv4 as such where it came over IPv6. */
function plain(text: string): string {
  const bare = /^\[([^\]]+)\](?::\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)
  return (bare?.[1] ?? bare?.[2] ?? text).replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "")
}
