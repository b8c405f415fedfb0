/** An answer as it is kept to be asked for again by its ETag. */
export interface Kept {
  etag: string
  text: string
  link: string
}

/** The answers last seen, by address: an unchanged one costs nothing of GitHub's hourly limit. */
export interface Etags {
  find(address: string): Kept | undefined
  keep(address: string, answer: Kept): void
}

/** Keeps the most recently used up to `maxChars` characters of text together. */
export function createEtags(maxChars: number): Etags {
  const answers = new Map<string, Kept>()
  let chars = 0

  function drop(address: string): void {
    chars -= answers.get(address)?.text.length ?? 0
    answers.delete(address)
  }

  return {
    find(address) {
      const found = answers.get(address)
      if (found === undefined) return undefined
      answers.delete(address)
      answers.set(address, found)
      return found
    },
    keep(address, answer) {
      drop(address)
      if (answer.text.length > maxChars / 4) return
      answers.set(address, answer)
      chars += answer.text.length
      for (const oldest of answers.keys()) {
        if (chars <= maxChars) break
        drop(oldest)
      }
    },
  }
}
