import { BlockList, isIP, isIPv4 } from "node:net"

/** Networks as `address/prefix`. */
export interface Networks {
  has(address: string): boolean
}

/** Reads one network, or one address; null for what is neither. */
function parseNetwork(text: string): { address: string; prefix: number; family: "ipv4" | "ipv6" } | null {
  const [address = "", length, ...rest] = text.split("/")
  const version = isIP(address)
  if (version === 0 || rest.length > 0 || address.includes("%")) return null
  const most = version === 4 ? 32 : 128
  const prefix = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : -1
  if (prefix < 0 || prefix > most) return null
  return { address, prefix, family: version === 4 ? "ipv4" : "ipv6" }
}

/** Whether a text is a network. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null
}

/** Makes a set of networks; throws a RangeError for a text that is none. */
export function createNetworks(texts: readonly string[]): Networks {
  const list = new BlockList()
  for (const text of texts) {
    const network = parseNetwork(text)
    if (network === null) throw new RangeError(`${JSON.stringify(text)} is not a network`)
    list.addSubnet(network.address, network.prefix, network.family)
  }
  return { has: (address) => list.check(address, isIPv4(address) ? "ipv4" : "ipv6") }
}
