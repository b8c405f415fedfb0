/** What a tail tells of one place in the log. */
export type TailItem =
  /** An event, as everybody may see it: one line of JSON, see `renderEvent`; and what that does not show. */
  | { kind: "event"; position: number; json: Uint8Array; orderKey?: string | undefined }
  /** Positions that retention has dropped, up to `position`. */
  | { kind: "gap"; from: number; position: number }
  /** An event that the tail cannot carry; the database has it. */
  | { kind: "elsewhere"; position: number }

/** Told of what is appended to the log. Must not throw, and must not take long. */
export interface TailListener {
  /** In position order, mostly: places may be missing and come again, for the positions tell. */
  take(item: TailItem): void
  /** Nothing comes from now on, until something comes again. */
  lost(): void
}

/** Another way to the news of the log than asking the database, which has the last word. */
export interface LogTail {
  /** Tells what is appended from about now on, until the answer is called. */
  follow(listener: TailListener): () => void
}
