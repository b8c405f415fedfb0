/** Somebody who sleeps until there is something to do. */
export interface Waker {
  /** Ends the sleep that is under way, or the next one before it begins. */
  wake: () => void
  /** Sleeps until woken, or for `ms` at most. */
  sleep(ms: number): Promise<void>
}

const longest = 2 ** 31 - 1 // what a timer takes

/** Makes a waker for one sleeper. */
export function createWaker(): Waker {
  let awake = false
  let rise: (() => void) | undefined
  return {
    wake() {
      awake = true
      rise?.()
    },
    async sleep(ms) {
      if (!awake) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(Math.max(ms, 0), longest))
          rise = () => {
            clearTimeout(timer)
            resolve()
          }
        })
        rise = undefined
      }
      awake = false
    },
  }
}
