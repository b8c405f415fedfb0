/** One block of an event stream; `id` is absent where the block has none. */
export interface SseBlock {
  id?: string
  event: string
  data: string
}

/**
 * Blocks of an SSE response (WHATWG HTML, section 9.2.6) until it ends. A block without data is
 * handed on as well: its id moves the cursor.
 */
export async function* readSse(response: Response): AsyncGenerator<SseBlock, void> {
  if (response.body === null) return
  let rest = ""
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    rest += chunk
    const blocks = rest.split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ""
    for (const block of blocks) yield parseBlock(block)
  }
}

function parseBlock(block: string): SseBlock {
  const parsed: SseBlock = { event: "message", data: "" }
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":")
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (field === "id") parsed.id = value
    else if (field === "event") parsed.event = value
    else if (field === "data") data.push(value)
  }
  parsed.data = data.join("\n")
  return parsed
}
