import type { Database } from "../../src/store/database.ts"

/** A row as text, a column each: `Mon 09:30` for a time of the story's week, `30m` for a span, `-` for null. */
export type Row = string[]

const weekStart = Date.UTC(2026, 10, 16)
const dayMs = 86_400_000
const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

/** Rows of a view of one tenant, as people write them down. */
export async function readView(
  database: Database,
  { view, columns, order, tenant }: { view: string; columns: string; order: string; tenant: string },
): Promise<Row[]> {
  const { rows } = await database.work.query<unknown[]>({
    text: `select ${columns} from ${view} where tenant = $1 order by ${order}`,
    values: [tenant],
    rowMode: "array",
  })
  return rows.map((row) => row.map(shown))
}

function shown(value: unknown): string {
  if (value === null) return "-"
  if (value instanceof Date) return shownTime(value)
  if (isSpan(value)) return `${minutesOf(value)}m`
  return typeof value === "string" ? value : JSON.stringify(value)
}

function shownTime(time: Date): string {
  const clock = time.toISOString().slice(11, 19).replace(/:00$/, "")
  const day = days[Math.floor((time.getTime() - weekStart) / dayMs)]
  return `${day ?? time.toISOString().slice(0, 10)} ${clock}`
}

interface Span {
  days?: number
  hours?: number
  minutes?: number
  seconds?: number
}

// As the driver hands out an interval
function isSpan(value: unknown): value is Span {
  return typeof value === "object" && value !== null && "toPostgres" in value
}

function minutesOf({ days: whole = 0, hours = 0, minutes = 0, seconds = 0 }: Span): number {
  return whole * 1440 + hours * 60 + minutes + seconds / 60
}
