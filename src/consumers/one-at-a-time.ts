/** Runs what it is given, one after the other, in the order it was given. */
export type OneAtATime = <T>(body: () => Promise<T>) => Promise<T>

/** Makes a queue of one. */
export function createOneAtATime(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve()
  return (body) => {
    const turn = last.then(body)
    last = turn.catch(() => {})
    return turn
  }
}
