import type { EventStream, StreamItem } from "../../../src/client/index.ts"

/** The next `count` events of a stream; fails where they take more than 60 s. Leaves the stream open. */
export async function take(stream: EventStream, count: number): Promise<StreamItem[]> {
  const items: StreamItem[] = []
  const patience = setTimeout(() => void stream.return(), 60_000)
  try {
    while (items.length < count) {
      const { value, done } = await stream.next()
      if (done === true) throw new Error(`the stream ended after ${items.length} of ${count} events`)
      items.push(value)
    }
    return items
  } finally {
    clearTimeout(patience)
  }
}

/** Their positions. */
export function positionsOf(items: readonly StreamItem[]): number[] {
  return items.map(({ position }) => position)
}

/** `from + 1, from + 2, …`: the positions of so many events. */
export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + 1 + index)
}
