/** Joins calls into as few reads as can be: whoever calls while one is under way shares the one after it. */
export function createSharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> = Promise.resolve()
  let next: Promise<T> | undefined
  return async () => {
    next ??= current.then(() => {
      next = undefined
      const reading = read()
      current = reading.catch(() => {})
      return reading
    })
    return next
  }
}
