/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>

export interface Address {
  address: string
  family: number
}

/** As `Resolve`, but for `waitMs` at most; rejects with a `TimeoutError` where there is no answer by then. */
export type LookUp = (hostname: string, waitMs: number) => Promise<readonly Address[]>

export interface LookUpOptions {
  resolve: Resolve
  /** Names that are looked up at the same time (as many as leave a thread to all else). */
  most?: number
  /** Milliseconds without an answer after which a recent one serves (1 s). */
  recallMs?: number
  /** Milliseconds of a clock that does not go back. */
  now?: () => number
}

interface Flight {
  answer: PromiseWithResolvers<readonly Address[]>
  waiting: number
  isRunning: boolean
}

const recentMs = 300_000
const slowMs = 2_000
const mostKept = 10_000

class NotLookedUp extends Error {
  override readonly name = "TimeoutError"
}

/**
 * Makes the way in which receivers' names are looked up. The system does that in threads that all of a process
 * shares, the database's name included, and waits in them for name servers that may never answer. So a name is
 * looked up once for all that ask meanwhile, few names are at the same time, and those that were slow to answer
 * come after the others. What is found is kept for five minutes, for when an answer does not come at once, be it
 * for others that take long; whoever connects checks it as if it were new.
 */
export function createLookUp({
  resolve,
  most = lookUpsAtOnce(process.env["UV_THREADPOOL_SIZE"]),
  recallMs = 1_000,
  now = () => performance.now(),
}: LookUpOptions): LookUp {
  const flights = new Map<string, Flight>() // in the order in which they were asked for
  const recent = new Map<string, { found: readonly Address[]; at: number }>()
  const slow = new Set<string>()
  let running = 0
  let slowRunning = 0

  function nextFlight(): [string, Flight] | undefined {
    const waiting = [...flights].filter(([, flight]) => !flight.isRunning)
    const quick = waiting.find(([name]) => !slow.has(name))
    // Where there are several places, the slow ones never have all of them.
    return quick ?? (slowRunning < Math.max(1, most - 1) ? waiting[0] : undefined)
  }

  function beginNext(): void {
    while (running < most) {
      const next = nextFlight()
      if (next === undefined) return
      void run(...next)
    }
  }

  async function run(name: string, flight: Flight): Promise<void> {
    const wasSlow = slow.has(name)
    running++
    if (wasSlow) slowRunning++
    flight.isRunning = true
    const began = now()
    try {
      const found = await resolve(name)
      if (found.length > 0) keep(recent, name, { found, at: now() })
      flight.answer.resolve(found)
    } catch (error) {
      flight.answer.reject(error)
    }
    running--
    if (wasSlow) slowRunning--
    flights.delete(name)
    slow.delete(name)
    if (now() - began >= slowMs) slow.add(name)
    if (slow.size > mostKept) slow.clear()
    beginNext()
  }

  function flightOf(name: string): Flight {
    const known = flights.get(name)
    if (known !== undefined) return known
    const flight = {
      answer: Promise.withResolvers<readonly Address[]>(),
      waiting: 0,
      isRunning: false,
    }
    flight.answer.promise.catch(() => {}) // nobody may wait for it any more
    flights.set(name, flight)
    return flight
  }

  return async function lookUp(name, waitMs) {
    const flight = flightOf(name)
    flight.waiting++
    beginNext()
    const inTime = Promise.withResolvers<readonly Address[]>()
    const timers = [
      setTimeout(() => {
        const seconds = waitMs / 1_000
        inTime.reject(
          new NotLookedUp(
            flight.isRunning
              ? `the name servers of ${name} gave no answer within ${seconds} s`
              : `${name} could not be looked up within ${seconds} s: name servers of others do not answer`,
          ),
        )
      }, waitMs),
      setTimeout(() => {
        const known = recent.get(name)
        if (known !== undefined && now() - known.at < recentMs) inTime.resolve(known.found)
      }, recallMs),
    ]
    try {
      return await Promise.race([flight.answer.promise, inTime.promise])
    } finally {
      timers.forEach(clearTimeout)
      flight.waiting--
      if (flight.waiting === 0 && !flight.isRunning) flights.delete(name)
    }
  }
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key) // what is set anew is the newest
  map.set(key, value)
  if (map.size <= mostKept) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

const usualThreads = 4

/** How many names may be looked up so that a thread is left to all else, by the `UV_THREADPOOL_SIZE` of the process. */
export function lookUpsAtOnce(poolSize: string | undefined): number {
  const asked = Number(poolSize ?? usualThreads)
  const threads = Number.isInteger(asked) && asked > 0 ? asked : usualThreads
  const forNames = Math.floor((threads + 1) / 2) // libuv gives names no more than half of its threads
  return Math.max(1, forNames - 1)
}
