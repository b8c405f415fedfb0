/** One dispatched message, as an EventSource would hand it out. */
export interface SseMessage {
  type: string
  data: string
  lastEventId: string
}

/** The event stream interpretation of the HTML standard (section 9.2.6), byte by byte testable. */
export class SseParser {
  readonly messages: SseMessage[] = []
  readonly comments: string[] = []
  lastEventId = ""
  retry: number | undefined
  #decoder = new TextDecoder()
  #rest = ""
  #data: string[] = []
  #type = ""
  #id = ""
  #onMessage: (message: SseMessage) => void

  constructor(onMessage: (message: SseMessage) => void = () => {}) {
    this.#onMessage = onMessage
  }

  push(bytes: Uint8Array): void {
    const lineEnd = /[\r\n]/g
    lineEnd.lastIndex = this.#rest.length
    this.#rest += this.#decoder.decode(bytes, { stream: true })
    if (this.#rest[lineEnd.lastIndex - 1] === "\r") lineEnd.lastIndex--
    let start = 0
    for (let found = lineEnd.exec(this.#rest); found !== null; found = lineEnd.exec(this.#rest)) {
      // Only LF, CR and CRLF end a line; a CR at the very end may be half of a CRLF.
      if (found[0] === "\r" && found.index + 1 === this.#rest.length) break
      this.#line(this.#rest.slice(start, found.index))
      start = found.index + (this.#rest.startsWith("\r\n", found.index) ? 2 : 1)
      lineEnd.lastIndex = start
    }
    this.#rest = this.#rest.slice(start)
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch()
    if (line.startsWith(":")) return void this.comments.push(line.slice(1).trim())
    const colon = line.indexOf(":")
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (field === "data") this.#data.push(value)
    else if (field === "event") this.#type = value
    else if (field === "id" && !value.includes("\0")) this.#id = value
    else if (field === "retry" && /^\d+$/.test(value)) this.retry = Number(value)
  }

  #dispatch(): void {
    this.lastEventId = this.#id
    const data = this.#data.join("\n")
    const type = this.#type || "message"
    const empty = this.#data.length === 0
    this.#data = []
    this.#type = ""
    if (empty) return
    const message = { type, data, lastEventId: this.lastEventId }
    this.messages.push(message)
    this.#onMessage(message)
  }
}
