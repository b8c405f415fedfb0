const texts = new Map<string, string>()

/** `($1, $2), ($3, $4)` for two rows of two columns; made once for each shape. */
export function valuesList(rows: number, columns: number): string {
  const shape = `${rows}x${columns}`
  let text = texts.get(shape)
  if (text === undefined) {
    const row = (first: number) => Array.from({ length: columns }, (_, column) => `$${first + column + 1}`)
    text = Array.from({ length: rows }, (_, index) => `(${row(index * columns).join(", ")})`).join(", ")
    texts.set(shape, text)
  }
  return text
}
