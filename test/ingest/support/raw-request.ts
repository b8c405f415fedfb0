import { once } from "node:events"
import { connect, type Socket } from "node:net"

/** Sends bytes as they stand to a server on this machine; the socket stays open. */
export async function sendBytes(port: number, ...parts: readonly (string | Buffer)[]): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" })
  await once(socket, "connect")
  for (const part of parts) socket.write(part)
  return socket
}

/** The head of a POST with these headers. */
export function postHead(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: "127.0.0.1", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`
}

/** Everything the server sends until it has sent `length` bytes of a body, or ends. */
export async function readAnswer(socket: Socket): Promise<{ status: number; head: string; body: string }> {
  let text = ""
  for await (const chunk of socket) {
    text += String(chunk)
    const end = text.indexOf("\r\n\r\n")
    if (end === -1) continue
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
    if (text.length >= end + 4 + length) break
  }
  const [head = "", body = ""] = text.split("\r\n\r\n", 2)
  return { status: Number(head.slice(9, 12)), head, body }
}
