import type { ClientBase, Connection, QueryResult } from "pg"
import { Query } from "pg"
import type { Answer } from "./ask-by-callback.ts"

/** A statement whose values go to PostgreSQL as they are, texts as text and buffers as bytes. */
export interface PlainStatement {
  /** A connection parses the text once under this name. */
  name: string
  text: string
  values: (string | Buffer | null)[]
}

type Values = PlainStatement["values"]

/**
 * Runs a statement without copying the large bodies among its values: each goes to the socket as it is.
 * pg puts a statement together in one buffer that it outgrows again and again; for a batch of bodies it
 * throws away several times their bytes, and the whole heap is marked for them many times a second.
 */
export function queryUncopied(client: ClientBase, statement: PlainStatement): Promise<QueryResult> {
  const query = new Query(statement)
  query.submit = submitUncopied // no function that closes over the bodies: see ask-by-callback.ts
  const ask: (query: Query, answer: Answer) => unknown = client.query.bind(client)
  return new Promise((resolve, reject) => {
    ask(query, (error, result) => (error ? reject(error) : resolve(result)))
  })
}

// As pg sends it, but for the message that carries the values. It answers an error where it sends nothing,
// and pg tells that.
function submitUncopied(this: Query, connection: Connection): unknown {
  const submit: (this: Query, connection: Connection) => unknown = Query.prototype.submit
  return submit.call(this, uncopying(connection))
}

function uncopying(connection: Connection): Connection {
  const bind: Connection["bind"] = (message) => {
    const { statement = "", values = [] } = message ?? {}
    for (const part of bindMessage(
      statement,
      values.map((value) => value ?? null),
    ))
      connection.stream.write(part)
  }
  return Object.create(connection, { bind: { value: bind } })
}

/** Bytes from which on a value is a part of its own; to write a smaller one costs more than to copy it. */
const partBytes = 1_024

const bindCode = 0x42
const textFormat = 0
const binaryFormat = 1

/** A Bind message (PostgreSQL, "Message Formats") in parts; the portal has no name, and results come as text. */
function bindMessage(statement: string, values: Values): Buffer[] {
  const sizes = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)))
  const ownParts = values.map((value, index) => typeof value !== "string" && (sizes[index] ?? 0) >= partBytes)
  const copied = sizes.reduce((sum, size, index) => sum + 2 + 4 + (ownParts[index] === true ? 0 : size), 0)
  const all = sizes.reduce((sum, size) => sum + 2 + 4 + size, 0)
  const fixed = 4 + 1 + Buffer.byteLength(statement) + 1 + 2 + 2 + 2 + 2

  const frame = Buffer.allocUnsafe(1 + fixed + copied)
  let at = frame.writeUInt8(bindCode)
  at = frame.writeInt32BE(fixed + all, at)
  at += frame.write(`\0${statement}\0`, at)
  at = frame.writeInt16BE(values.length, at)
  for (const value of values) at = frame.writeInt16BE(Buffer.isBuffer(value) ? binaryFormat : textFormat, at)
  at = frame.writeInt16BE(values.length, at)
  const parts: Buffer[] = []
  let partAt = 0
  for (const [index, value] of values.entries()) {
    at = frame.writeInt32BE(value === null ? -1 : (sizes[index] ?? 0), at)
    if (typeof value === "string") {
      at += frame.write(value, at)
    } else if (ownParts[index] === true && value !== null) {
      parts.push(frame.subarray(partAt, at), value)
      partAt = at
    } else if (value !== null) {
      at += value.copy(frame, at)
    }
  }
  at = frame.writeInt16BE(1, at)
  at = frame.writeInt16BE(textFormat, at)
  parts.push(frame.subarray(partAt, at))
  return parts
}
