/** How much the last quarter may have over the first: what a heap breathes in and out. */
const slack = 1.15

/** Means of the four quarters of what was measured, in MiB, the first fifth left out: that is warming up. */
export function flatness(samples: readonly number[]): { quarters: number[]; flat: boolean } {
  const warm = samples.slice(Math.floor(samples.length / 5))
  const size = warm.length / 4
  const quarters = [0, 1, 2, 3].map((quarter) =>
    mean(warm.slice(Math.floor(quarter * size), Math.floor((quarter + 1) * size))),
  )
  const [first = 0, , , last = 0] = quarters
  return {
    quarters: quarters.map((bytes) => Math.round(bytes / 2 ** 20)),
    flat: warm.length < 40 || last <= first * slack,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
