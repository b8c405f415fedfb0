import { types, type CustomTypesConfig, type QueryConfig } from "pg"
import { readAs, type Database } from "./database.ts"

/** What a query of a user's own answered. */
export interface QueryAnswer {
  /** One name for each column, in order; of several columns of one name the later ones are numbered: `count_2`. */
  columns: string[]
  /** Values by the names of the columns; see `runQuery` for what they are. */
  rows: Record<string, unknown>[]
}

/**
 * Runs one query as `readAs` does. Values come as they are in PostgreSQL and depend on no clock or zone
 * of this process: a date is the text `2026-11-21`, a time `2026-11-21T10:00:00.123456Z`, an interval
 * `2 days 20:00:00`. Truth values, whole and floating-point numbers, JSON and arrays come as such; what
 * a number here cannot hold exactly (`numeric`, beyond 2^53, infinities) and all else come as text.
 */
export function runQuery(database: Database, tenant: string, text: string): Promise<QueryAnswer> {
  return readAs(database, tenant, async (db) => {
    await db.query(
      `select set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
         set_config('bytea_output', 'hex', true)`,
    )
    // The extended protocol takes one statement alone; by column, since several may have one name.
    const query: QueryConfig & { rowMode: string; queryMode: string } = {
      text,
      types: asText,
      rowMode: "array",
      queryMode: "extended",
    }
    const { fields, rows } = await db.query<Record<string, unknown>>(query)
    const columns = unique(fields.map(({ name }) => name))
    return {
      columns,
      rows: rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[String(index)]]))),
    }
  })
}

function unique(names: readonly string[]): string[] {
  const taken = new Set(names)
  const seen = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let n = 2; seen.has(free) || (free !== name && taken.has(free)); n++) free = `${name}_${n}`
    seen.add(free)
    return free
  })
}

type Read = (text: string) => unknown

const asIs: Read = (text) => text
const number: Read = (text) => {
  const value = Number(text)
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : text
}
const truth: Read = (text) => text === "t"
const json: Read = (text) => JSON.parse(text)
// A server's text for `2026-11-21T10:00:00Z`; years before our era or beyond 9999 stay as it has them.
const time: Read = (text) => text.replace(/^(\d{4}-\d\d-\d\d) ([\d:.]+)$/, "$1T$2")
const timeWithZone: Read = (text) => text.replace(/^(\d{4}-\d\d-\d\d) ([\d:.]+)\+00$/, "$1T$2Z")

/** How the built-in types that are no text are read: by their number, and the number of their array. */
const readers: readonly (readonly [type: number, array: number, read: Read])[] = [
  [16, 1000, truth], // bool
  [20, 1016, number], // int8
  [21, 1005, number], // int2
  [23, 1007, number], // int4
  [26, 1028, number], // oid
  [700, 1021, number], // float4
  [701, 1022, number], // float8
  [114, 199, json], // json
  [3802, 3807, json], // jsonb
  [1114, 1115, time], // timestamp
  [1184, 1185, timeWithZone], // timestamptz
]
const textArrays = [
  1001, 1002, 1003, 1009, 1014, 1015, 1182, 1183, 1187, 1231, 1270, 2951, 1041, 651, 3645, 3643,
]

const textArray: number = 1009 // a type that the declarations of pg have no name for
const splitArray: Read = types.getTypeParser(textArray, "text")
const readArray =
  (read: Read): Read =>
  (text) =>
    each(splitArray(text), read)

function each(value: unknown, read: Read): unknown {
  if (Array.isArray(value)) return value.map((one) => each(one, read))
  return typeof value === "string" ? read(value) : value
}

const parsers = new Map<number, Read>([
  ...readers.flatMap(([type, array, read]): [number, Read][] => [
    [type, read],
    [array, readArray(read)],
  ]),
  ...textArrays.map((array): [number, Read] => [array, readArray(asIs)]),
])

const asText: CustomTypesConfig = { getTypeParser: (type: number) => parsers.get(type) ?? asIs }
