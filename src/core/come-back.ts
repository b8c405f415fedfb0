/** Milliseconds after which a client had better come back, 1 to 5 s: drawn by lot, so that a crowd does not come back all at once. */
export function comeBackMs(): number {
  return Math.round(1000 + Math.random() * 4000)
}
