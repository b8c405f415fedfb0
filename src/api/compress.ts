import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"
import type { MiddlewareHandler } from "hono"
import { contentCoding, type ContentCoding } from "../core/content-coding.ts"

const gzipped = promisify(gzip)
const brotlied = promisify(brotliCompress)
/** What is smaller goes out as it is: most clients ask for gzip without a need, and it takes time. */
const smallest = 16 << 10
const params = {
  [constants.BROTLI_PARAM_QUALITY]: 4,
  [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
}

const compress = (body: Buffer, coding: "gzip" | "br"): Promise<Buffer> =>
  coding === "gzip" ? gzipped(body, { level: 4 }) : brotlied(body, { params })

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
    const sent = isLarge ? await compress(body, coding) : body
    c.res = new Response(new Uint8Array(sent), c.res)
    if (isLarge) {
      c.header("content-encoding", coding)
      c.header("content-length", String(sent.length))
    }
  }
}

/** A body as it goes out, and in which coding. */
export interface Coded {
  body: Uint8Array<ArrayBuffer>
  coding: ContentCoding
}

/**
 * A text that stays as it is, in the coding that an `Accept-Encoding` wants. The text is made when it is first asked
 * for and each coding of it once, however many ask: anybody may, and compressing takes time and a thread.
 */
export function codeOnce(
  make: () => Promise<string>,
  code: typeof compress = compress,
): (accepted: string | undefined) => Promise<Coded> {
  let plain: Promise<Buffer<ArrayBuffer>> | undefined
  const coded = new Map<"gzip" | "br", Promise<Uint8Array<ArrayBuffer>>>()

  async function made(body: Buffer, coding: "gzip" | "br"): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return new Uint8Array(await code(body, coding))
    } catch (error) {
      coded.delete(coding) // memory was short: there may be some next time
      throw error
    }
  }

  return async function inCoding(accepted) {
    plain ??= make().then((text) => Buffer.from(text))
    const body = await plain
    const coding = contentCoding(accepted)
    if (coding === null || body.length < smallest) return { body, coding: null }
    const sent = coded.get(coding) ?? made(body, coding)
    coded.set(coding, sent)
    return { body: await sent, coding }
  }
}
