const units = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const

/** Seconds of `90s`, `30m`, `24h` or `7d`; undefined for anything else. */
export function durationSeconds(text: string): number | undefined {
  const [, digits, letter] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const unit = units.find(([name]) => name === letter)
  return unit === undefined ? undefined : Number(digits) * unit[1]
}

/** Whole seconds as such a text, in the largest unit that tells them exactly: `7d`, `90m`. */
export function durationText(seconds: number): string {
  const [letter, length] = units.find(([, unit]) => seconds % unit === 0) ?? (["s", 1] as const)
  return `${seconds / length}${letter}`
}
