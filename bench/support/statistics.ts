/** The middle value; the mean of the two middle ones of an even number. Throws on none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1]
  const lower = sorted[(sorted.length - 1) >> 1]
  if (upper === undefined || lower === undefined) throw new Error("no values")
  return (lower + upper) / 2
}

/** The smallest value that at least `fraction` of the values do not exceed (nearest rank). */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]
  if (value === undefined) throw new Error("no values")
  return value
}

/** Rounded to `digits` places after the point. */
export function round(value: number, digits = 2): number {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}

/**
 * The median of ours over theirs, ratio by ratio: two figures of one round had the same neighbours on the
 * machine. NaN where there is no pair.
 */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  const ratios = ours.map((value, index) => value / (theirs[index] ?? Number.NaN))
  return ratios.length === 0 ? Number.NaN : median(ratios)
}
