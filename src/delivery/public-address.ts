import { isIPv4, isIPv6 } from "node:net"
import { createNetworks } from "../core/networks.ts"

// IANA's registries of special-purpose addresses: everything that is not the public internet.
const special4 = createNetworks([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10", // carriers' own, where some clouds keep their metadata
  "127.0.0.0/8",
  "169.254.0.0/16", // link-local, where the other clouds do
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
])

// Of IPv6 the public internet is one eighth, less what stands for other networks or for none.
const global6 = createNetworks(["2000::/3"])
const special6 = createNetworks(["2001::/23", "2001:db8::/32", "3fff::/20"])

/**
 * Whether an address belongs to the public internet. An IPv6 address that carries an IPv4 address
 * (mapped, compatible, NAT64, 6to4) is judged by that one.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special4.has(address)
  if (!isIPv6(address) || address.includes("%")) return false
  const inner = carriedAddress(address)
  if (inner !== null) return isPublicAddress(inner)
  return global6.has(address) && !special6.has(address)
}

/** The IPv4 address that an IPv6 one leads to; null where it carries none. */
export function carriedAddress(address: string): string | null {
  const groups = groupsOf(address)
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups
  const noneUpTo = (count: number) => groups.slice(0, count).every((group) => group === 0)
  const mapped = noneUpTo(5) && f === 0xffff // RFC 4291, 2.5.5.2
  const compatible = noneUpTo(6) && (g !== 0 || h > 1) // RFC 4291, 2.5.5.1; `::` and `::1` are themselves
  const translated = noneUpTo(4) && e === 0xffff && f === 0 // RFC 2765
  const nat64 = a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0 // RFC 6052
  if (mapped || compatible || translated || nat64) return dotted(g, h)
  if (a === 0x2002) return dotted(b, c) // 6to4, RFC 3056
  return null
}

/** The eight groups of a valid address. */
function groupsOf(address: string): number[] {
  // The URL parser writes every form of it in one way: no dotted tail, zeros compressed.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = "", tail] = text.split("::")
  const first = groupsIn(head)
  if (tail === undefined) return first
  const last = groupsIn(tail)
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

function groupsIn(part: string): number[] {
  return part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16))
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".")
}
