import { Client } from "pg"

/** An event as the textbook servers hand it out. */
export interface TextbookEvent {
  position: string
  id: string
  type: string
  received_at: Date
  payload: unknown
}

interface Row extends Omit<TextbookEvent, "payload"> {
  raw: Buffer
}

/** Follows the log as one would write it first: LISTEN, and one query for what is new. Answers how to end it. */
export async function followLog(
  connectionString: string,
  onEvent: (event: TextbookEvent) => void,
): Promise<() => Promise<void>> {
  const client = new Client({ connectionString })
  let last = 0
  let reading: Promise<void> | undefined

  async function readNew(): Promise<void> {
    const { rows } = await client.query<Row>(
      `select l.position, e.id, e.type, e.received_at, e.raw from event_log l join events e on e.id = l.event_id
       where l.position > $1 order by l.position`,
      [last],
    )
    for (const { raw, ...event } of rows) {
      last = Number(event.position)
      onEvent({ ...event, payload: JSON.parse(raw.toString()) as unknown })
    }
  }

  client.on("notification", () => {
    reading = (reading ?? Promise.resolve()).then(readNew)
  })
  await client.connect()
  await client.query("listen signalbox_log")
  return () => client.end()
}
