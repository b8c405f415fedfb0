import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import type { Fault, FaultKind } from "./faults.ts"

/** A TCP proxy that lets nothing through for long. */
export interface FaultyProxy extends AsyncDisposable {
  readonly url: string
  /** Faults that have come to pass, by kind. */
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Cuts whatever is open, and refuses what comes, until told otherwise. */
  setAway(isAway: boolean): void
}

export interface FaultyProxyOptions {
  /** Where the next connection goes, as a balancer would choose; undefined where nobody is up. */
  target: () => string | undefined
  /** What becomes of the next connection, after what has come to pass; undefined: nothing. */
  plan: (faults: FaultyProxy["faults"]) => Fault | undefined
}

/** Starts one on a free port of 127.0.0.1. */
export async function startFaultyProxy({ target, plan }: FaultyProxyOptions): Promise<FaultyProxy> {
  const open = new Set<Socket>()
  const faults = { refused: 0, unasked: 0, reset: 0, truncated: 0, swallowed: 0, stalled: 0 }
  let away = false

  const server = createServer({ noDelay: true }, (client) => {
    const address = target()
    if (away || address === undefined) {
      client.destroy()
      return
    }
    const fault = plan(faults)
    if (fault?.kind === "refused") {
      faults.refused++
      client.destroy()
      return
    }
    const { hostname, port } = new URL(address)
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true })
    join(client, upstream, fault)
  })

  function join(client: Socket, upstream: Socket, fault: Fault | undefined): void {
    let swallowing = false
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket)
      socket.on("error", () => {}) // told by "close" as well
      socket.on("close", () => {
        open.delete(socket)
        // A server that closes what is half open tells nobody.
        if (!(swallowing && socket === upstream)) other.destroy()
      })
    }
    const reset = (): void => {
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    const limitOf = (...kinds: FaultKind[]): number =>
      fault !== undefined && "after" in fault && kinds.includes(fault.kind) ? fault.after : Infinity
    const asking = limited(client, upstream, limitOf("unasked"), () => {
      faults.unasked++
      reset()
    })
    const answering = limited(
      upstream,
      client,
      limitOf("reset", "truncated", "swallowed", "stalled"),
      (goOn) => {
        if (fault === undefined) return
        faults[fault.kind]++
        if (fault.kind === "reset") reset()
        if (fault.kind === "truncated") {
          client.end() // what was let through arrives
          upstream.destroy()
        }
        if (fault.kind === "swallowed") {
          swallowing = true
          asking.swallow()
          answering.swallow()
        }
        if (fault.kind === "stalled") setTimeout(goOn, fault.ms).unref()
      },
    )
  }

  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    faults,
    setAway: (isAway) => {
      away = isAway
      if (isAway) for (const socket of open) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close")
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

/** Hands `after` bytes on, no faster than they are taken, then stops and calls `onLimit`. */
function limited(
  from: Socket,
  to: Socket,
  after: number,
  onLimit: (goOn: () => void) => void,
): { swallow: () => void } {
  let left = after
  let stopped = false
  let swallowing = false
  const goOn = (): void => {
    if (!stopped) from.resume()
  }
  const hand = (bytes: Buffer): void => {
    if (swallowing || bytes.length === 0 || to.destroyed || to.write(bytes)) return
    from.pause()
    to.once("drain", goOn)
  }
  from.on("data", (bytes: Buffer) => {
    if (bytes.length < left || swallowing) {
      left -= bytes.length
      hand(bytes)
      return
    }
    const rest = bytes.subarray(left)
    hand(bytes.subarray(0, left))
    left = Infinity
    stopped = true
    from.pause()
    onLimit(() => {
      stopped = false
      from.resume()
      hand(rest)
    })
  })
  from.on("end", () => to.end())
  return {
    swallow: () => {
      swallowing = true
      stopped = false
      from.resume()
    },
  }
}
