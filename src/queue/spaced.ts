/**
 * A function that is called at once where it has not been for a while, and otherwise once for all
 * calls with the same key that come within `spacingMs`.
 */
export function spaced(call: (key: string) => void, spacingMs: number): (key: string) => void {
  const calledAt = new Map<string, number>()
  const waiting = new Set<string>()
  const callNow = (key: string): void => {
    waiting.delete(key)
    calledAt.set(key, performance.now())
    call(key)
  }
  return (key) => {
    if (waiting.has(key)) return
    const waitMs = (calledAt.get(key) ?? -Infinity) + spacingMs - performance.now()
    if (waitMs <= 0) {
      callNow(key)
      return
    }
    waiting.add(key)
    setTimeout(callNow, waitMs, key)
  }
}
