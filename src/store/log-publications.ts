import { createPool, type Db } from "./database.ts"

/** Up to where the log has been published to a stream. */
export interface Publication {
  /** Number of the last message, by the stream's own count. */
  sequence: number
  position: number
}

/** The right to publish to a stream, which one session at a time has. */
export interface PublishingRight {
  /** Takes it, for as long as the session lives; false while another has it. */
  take(): Promise<boolean>
  close(): Promise<void>
}

/** The server ends a session that was not heard of for so long, and with it its right. */
const silenceMs = 15_000
const beatMs = 4_000

/**
 * Opens a session for the right alone: one that reads as well could be held in the midst of an answer that its
 * process does not take any more, which the server does not count as silence. `onLost` is told once when it ends.
 */
export async function openPublishingRight(
  url: string,
  stream: string,
  onLost: (error: Error) => void,
): Promise<PublishingRight> {
  const settings = { idle_session_timeout: String(silenceMs) }
  const pool = createPool(url, {
    role: "signalbox_worker",
    max: 1,
    name: "publishing right",
    settings,
    queryTimeoutMs: silenceMs,
  })
  let closed = false
  const lose = (error: Error): void => {
    if (!closed) onLost(error)
    closed = true
  }
  try {
    const session = await pool.connect()
    session.on("error", lose)
    session.on("end", () => lose(new Error("the session with the right to publish has ended")))
    const beat = setInterval(() => void session.query("select 1").catch(lose), beatMs).unref()
    return {
      take: async () => {
        const { rows } = await session.query<{ taken: boolean }>(
          "select pg_try_advisory_lock(hashtextextended('signalbox.publish.' || $1, 0)) as taken",
          [stream],
        )
        return rows[0]?.taken === true
      },
      close: async () => {
        closed = true
        clearInterval(beat)
        session.release(true)
        await pool.end()
      },
    }
  } catch (error) {
    void pool.end().catch(() => {})
    throw error
  }
}

/** What was last put down of a stream. */
export async function findPublication(db: Db, stream: string): Promise<Publication | undefined> {
  const { rows } = await db.query<Publication>(
    "select sequence, position from log_publications where stream = $1",
    [stream],
  )
  return rows[0]
}

/**
 * Puts down up to where the log has been published, in place of what the publisher last knew to be put down;
 * false, and nothing is changed, where another one has put down something since. No number tells which is newer:
 * a stream that was deleted, and a log that was set back, begin with lower ones.
 */
export async function savePublication(
  db: Db,
  stream: string,
  { sequence, position }: Publication,
  known: Publication | undefined,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "save_publication",
    text: `insert into log_publications as put (stream, sequence, position) values ($1, $2, $3)
      on conflict (stream) do update
      set sequence = excluded.sequence, position = excluded.position, published_at = now()
      where put.sequence = $4 and put.position = $5`,
    values: [stream, sequence, position, known?.sequence, known?.position],
  })
  return rowCount === 1
}

/** How far a stream is behind the log. */
export interface PublicationState {
  /** Null where nothing has been published yet. */
  position: number | null
  publishedAt: Date | null
  /** Last position of the log. */
  head: number
  /** How long the oldest event waits that has not been published, in seconds; 0 where none does. */
  waitingSeconds: number
}

/** How far a stream is behind the log, as of the last second or so. */
export async function publicationState(db: Db, stream: string): Promise<PublicationState> {
  const { rows } = await db.query<PublicationState>(
    `select p.position, p.published_at as "publishedAt", h.position as head,
       coalesce((select greatest(0, extract(epoch from now() - appended_at))::float8 from event_log l
         where l.position > coalesce(p.position, 0) order by l.position limit 1), 0) as "waitingSeconds"
     from event_log_head h left join log_publications p on p.stream = $1`,
    [stream],
  )
  return rows[0] ?? { position: null, publishedAt: null, head: 0, waitingSeconds: 0 }
}

/** What the log knows of a place that somebody else remembers. */
export type PlaceJudgement =
  /** That event stands there. */
  | "same"
  /** Another stands there, or the log has not come so far: it is another log, or was set back. */
  | "other"
  /** Retention has dropped what stood there. */
  | "gone"

/** Compares a place with the log; without an id it can only be beyond the end, or not. */
export async function judgePlace(
  db: Db,
  { position, eventId }: { position: number; eventId: string | null },
): Promise<PlaceJudgement> {
  const { rows } = await db.query<{ head: number; eventId: string | null }>(
    `select position as head, (select event_id from event_log where position = $1) as "eventId"
     from event_log_head`,
    [position],
  )
  const { head, eventId: found } = rows[0] ?? { head: 0, eventId: null }
  if (position > head) return "other"
  if (found === null || eventId === null) return "gone"
  return found === eventId ? "same" : "other"
}
