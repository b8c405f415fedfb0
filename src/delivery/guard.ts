import { lookup as systemLookup } from "node:dns/promises"
import { isIP, type LookupFunction } from "node:net"
import { buildConnector } from "undici"
import { SignalboxError } from "../core/errors.ts"
import { createLookUp, type Address, type LookUp, type Resolve } from "./look-up.ts"
import { createNetworks, type Networks } from "../core/networks.ts"
import { carriedAddress, isPublicAddress } from "./public-address.ts"

export interface GuardOptions {
  /** Networks that may be reached although they are not public (`SIGNALBOX_ALLOW_NETWORKS`). */
  allowNetworks: readonly string[]
  /** Looks names up instead of the system. */
  resolve?: Resolve
}

/** Keeps requests from reaching what is not public: whoever makes a subscription names the address. */
export interface Guard {
  /** Throws `bad_request` for a URL that no webhook may have, whatever its name leads to. */
  checkUrl(url: string): URL
  /** Makes connections to checked addresses alone, each looked up and checked anew. */
  connector(timeoutMs: number): buildConnector.connector
}

/** An address that must not be reached. */
export class ForbiddenAddress extends Error {
  override readonly name = "ForbiddenAddress"
}

const maxUrl = 2048

/** Makes a guard. Throws a RangeError for an allowed network that is none. */
export function createGuard({ allowNetworks, resolve }: GuardOptions): Guard {
  const allowed = createNetworks(allowNetworks)
  const lookUp = resolve === undefined ? lookUpBySystem : createLookUp({ resolve })

  async function addressesOf(hostname: string, waitMs: number): Promise<readonly Address[]> {
    const bare = withoutBrackets(hostname)
    const version = isIP(bare)
    const found = version === 0 ? await lookUp(bare, waitMs) : [{ address: bare, family: version }]
    if (found.length === 0) throw new ForbiddenAddress(`${bare} has no address`)
    for (const { address } of found) {
      // One that is not public taints them all: which of them would be taken is not ours to say.
      if (!mayReach(address, allowed)) throw new ForbiddenAddress(refusal(bare, address))
    }
    return found
  }

  async function connect(
    options: buildConnector.Options,
    timeoutMs: number,
    callback: buildConnector.Callback,
  ): Promise<void> {
    let addresses: readonly Address[]
    try {
      addresses = await addressesOf(options.hostname, timeoutMs)
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null)
      return
    }
    // The name stays in the request and in TLS; the socket goes where was just checked, and nowhere else.
    const open = buildConnector({ timeout: timeoutMs, allowH2: false, lookup: pinnedTo(addresses) })
    open({ ...options, hostname: withoutBrackets(options.hostname) }, callback)
  }

  return {
    checkUrl(text) {
      const url = text.length > maxUrl ? null : URL.parse(text)
      if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") {
        throw new SignalboxError(
          "bad_request",
          `url: must be an http or https URL of ${maxUrl} characters at most`,
        )
      }
      if (url.username !== "" || url.password !== "") {
        throw new SignalboxError(
          "bad_request",
          "url: must hold no user name or password: webhooks are signed",
        )
      }
      url.hash = ""
      const bare = withoutBrackets(url.hostname)
      if (isIP(bare) !== 0 && !mayReach(bare, allowed)) {
        throw new SignalboxError("bad_request", `url: ${refusal(bare, bare)}`)
      }
      return url
    },
    connector: (timeoutMs) => (options, callback) => void connect(options, timeoutMs, callback),
  }
}

function mayReach(address: string, allowed: Networks): boolean {
  const inner = isIP(address) === 6 ? carriedAddress(address) : null
  return isPublicAddress(address) || allowed.has(address) || (inner !== null && allowed.has(inner))
}

function refusal(hostname: string, address: string): string {
  const which = hostname === address ? address : `${hostname} leads to ${address}, which`
  return `${which} is no public address: an operator may allow its network by SIGNALBOX_ALLOW_NETWORKS`
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname
}

/** A lookup that answers what was found before, whatever it is asked. */
function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, [...addresses])
    else if (first !== undefined) callback(null, first.address, first.family)
  }
}

// One for all guards: it is the process that has so many threads.
const lookUpBySystem: LookUp = createLookUp({
  resolve: (hostname) => systemLookup(hostname, { all: true }),
})
