import { setImmediate as nextTurn } from "node:timers/promises"

/** How far one explanation may go: it is asked before each reading, and throws `OutOfTime` once that is enough. */
export interface Pace {
  /** Tells how many characters are read next; waits where so many were read that others have their turn first. */
  read(characters: number): Promise<void>
}

/** What ends a reading that has taken its time, or that nobody waits for any more. */
export class OutOfTime extends Error {
  override name = "OutOfTime"
}

export interface PaceOptions {
  /** Milliseconds that one may hold the thread, in all (1 s); what it waits for others does not count. */
  maxMs?: number
  /** The clock of that time, in milliseconds. */
  now?: () => number
  /** Resolves once requests and streams have had their turn. */
  turn?: () => Promise<void>
}

// Some 10 ms where every word is a name, the slowest text to read.
const charactersATurn = 16_384

/** Makes the paces of all the explanations of a process: no two of them read within one turn. */
export function createPaces({
  maxMs = 1_000,
  now = () => performance.now(),
  turn = nextTurn,
}: PaceOptions = {}): (signal?: AbortSignal) => Pace {
  let line: Promise<void> = Promise.resolve()

  return (signal) => {
    let spent = 0
    let resumed = now()
    let characters = Infinity // the first reading waits as well
    return {
      async read(more) {
        characters += more
        if (characters > charactersATurn) {
          spent += now() - resumed
          line = line.then(turn)
          await line
          characters = more
          resumed = now()
        }
        if (signal?.aborted === true || spent + now() - resumed >= maxMs) throw new OutOfTime()
      },
    }
  }
}
