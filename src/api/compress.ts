import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"
import type { MiddlewareHandler } from "hono"
import { contentCoding } from "../core/content-coding.ts"

const gzipped = promisify(gzip)
const brotlied = promisify(brotliCompress)
/** What is smaller goes out as it is: most clients ask for gzip without a need, and it takes time. */
const smallest = 16 << 10
const params = {
  [constants.BROTLI_PARAM_QUALITY]: 4,
  [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
}

/** Sends JSON of 16 KiB and more in gzip or Brotli to whoever asks for them; streams see to that themselves. */
export function compressLarge(): MiddlewareHandler {
  return async function compressLargeMiddleware(c, next) {
    c.header("vary", "accept-encoding", { append: true })
    await next()
    const coding = contentCoding(c.req.header("accept-encoding"))
    // An answer that is not looked at goes straight to the socket, and never becomes a stream.
    if (coding === null || c.req.method === "HEAD") return
    const { headers } = c.res
    const isJson = /^application\/(?:[\w.-]+\+)?json\b/.test(headers.get("content-type") ?? "")
    if (!isJson || headers.has("content-encoding")) return
    const body = Buffer.from(await c.res.arrayBuffer())
    const isLarge = body.length >= smallest
    const sent = !isLarge
      ? body
      : coding === "gzip"
        ? await gzipped(body, { level: 4 })
        : await brotlied(body, { params })
    c.res = new Response(new Uint8Array(sent), c.res)
    if (isLarge) {
      c.header("content-encoding", coding)
      c.header("content-length", String(sent.length))
    }
  }
}
