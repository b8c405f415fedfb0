/** Bytes of bodies that one page may hold; a single larger body is a page by itself. */
export const maxPageBytes = 16 * 2 ** 20

/** The places in order, in groups of at least one whose bodies fit a page. */
export function chunksOf<P extends { bytes: number }>(places: readonly P[]): P[][] {
  const chunks: P[][] = []
  let bytes = Infinity
  for (const place of places) {
    if (bytes + place.bytes > maxPageBytes) {
      chunks.push([])
      bytes = 0
    }
    chunks.at(-1)?.push(place)
    bytes += place.bytes
  }
  return chunks
}
