/** What a stretch of an event stream says, in the order in which it says it. */
export type SseItem =
  /** A message, as an EventSource would hand it out. */
  | { kind: "message"; type: string; data: string; lastEventId: string }
  /** A block without data that moved the last event id. */
  | { kind: "id"; lastEventId: string }
  /** How long to wait before coming back, in milliseconds. */
  | { kind: "retry"; ms: number }

/** Reads an event stream piece by piece, wherever it is cut. */
export interface SseParser {
  /** Takes the next bytes, and answers what is complete with them. What is not is kept for the next ones. */
  push(bytes: Uint8Array): SseItem[]
}

/** Characters of one message at most: what is longer is no event, and would fill the memory. */
const maxCharacters = 1 << 28

/** Makes a parser by the HTML standard, sections 9.2.5 and 9.2.6. Throws `RangeError` for a message without end. */
export function createSseParser(limit: number = maxCharacters): SseParser {
  const decoder = new TextDecoder() // takes away one byte order mark, and puts U+FFFD for what is no UTF-8
  const lineEnd = /[\r\n]/g
  let unfinished: string[] = [] // pieces of the line that has no end yet
  let held = 0 // characters in those pieces and in `data`
  let afterCarriageReturn = false
  let data: string[] = []
  let type = ""
  let id = ""
  let lastEventId = ""
  let found: SseItem[] = []

  function push(bytes: Uint8Array): SseItem[] {
    const text = decoder.decode(bytes, { stream: true })
    found = []
    // A CR has ended its line already; an LF right after it belongs to it.
    let start = afterCarriageReturn && text.startsWith("\n") ? 1 : 0
    if (text !== "") afterCarriageReturn = text.endsWith("\r")
    lineEnd.lastIndex = start
    for (let end = lineEnd.exec(text); end !== null; end = lineEnd.exec(text)) {
      takeLine(text.slice(start, end.index))
      start = end.index + (text.startsWith("\r\n", end.index) ? 2 : 1)
      lineEnd.lastIndex = start
    }
    if (start < text.length) {
      unfinished.push(text.slice(start))
      hold(text.length - start)
    }
    return found
  }

  function takeLine(rest: string): void {
    const line = unfinished.length === 0 ? rest : unfinished.join("") + rest
    held -= line.length - rest.length
    unfinished = []
    if (line === "") return dispatch()
    const colon = line.indexOf(":")
    if (colon === 0) return // a comment
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)
    if (field === "data") {
      data.push(value)
      hold(value.length + 1)
    } else if (field === "event") type = value
    else if (field === "id" && !value.includes("\0")) id = value
    else if (field === "retry" && /^[0-9]+$/.test(value)) found.push({ kind: "retry", ms: Number(value) })
  }

  function dispatch(): void {
    const moved = id !== lastEventId
    lastEventId = id
    if (data.length > 0) {
      found.push({ kind: "message", type: type || "message", data: data.join("\n"), lastEventId })
    } else if (moved) {
      found.push({ kind: "id", lastEventId })
    }
    data = []
    type = ""
    held = 0
  }

  function hold(characters: number): void {
    held += characters
    if (held > limit) throw new RangeError(`a message of more than ${limit} characters`)
  }

  return { push }
}
