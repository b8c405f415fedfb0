/**
 * The outcome of a promise; rejects with what `late` makes after `ms`, and with the signal's reason when it is
 * aborted. The promise itself is left to its fate.
 */
export function within<T>(
  promise: Promise<T>,
  { ms, signal, late }: { ms: number; signal: AbortSignal; late: () => Error },
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener("abort", abort)
    }
    const abort = (): void => {
      settle()
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      settle()
      reject(late())
    }, ms)
    signal.addEventListener("abort", abort)
    if (signal.aborted) abort()
    promise.finally(settle).then(resolve, reject)
  })
}
