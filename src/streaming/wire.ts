import type { Encoding } from "./encoding.ts"
import type { Farewell } from "./ending.ts"
import type { Part } from "./parts.ts"

/** The way to one client: a response that is being written, or a WebSocket. */
export interface Wire {
  readonly encoding: Encoding
  /** Whether it is in the midst of a part, so that nothing else may be written now. */
  readonly midPart: boolean
  /** Bytes written that have not left for the network. */
  unsent(): number
  /** Bytes that have left for the network since the stream began. */
  sent(): number
  /** Writes a part at once, however much waits. */
  write(part: Part): void
  /** Writes a part no faster than the client takes it; ends early, in the midst of it, once the wire is gone. */
  writePaced(part: Part): Promise<void>
  /** Ends the stream with a last word; in the midst of a part, without. */
  end(farewell: Farewell): void
  /** Cuts the connection. */
  cut(): void
  /** Calls back once, when the connection is gone, whoever ended it. */
  onGone(listener: () => void): void
}
