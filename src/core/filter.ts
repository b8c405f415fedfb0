import { z } from "zod"
import { platformNames, priorities, type LoggedEvent, type PlatformName, type Priority } from "./envelope.ts"
import { canonicalEntityKey } from "./entity-key.ts"
import { SignalboxError } from "./errors.ts"
import type { Steps } from "./filter-steps.ts"
import { isStorableText } from "./filter-text.ts"
import { compileWhere, type Json } from "./filter-where.ts"
import { unknownNames } from "./nearest-name.ts"
import { compilePatterns } from "./pattern.ts"

/**
 * Which events a stream or a consumer wants: every key given must hold, within a key any of its
 * values. Lists are sorted and free of repeats, so that equal filters are equal JSON.
 */
export interface Filter {
  platforms?: PlatformName[]
  /** Type patterns: `github.pull_request.*` (see pattern.ts). */
  types?: string[]
  /** Keys of entities that the event is about or refers to. */
  entities?: string[]
  /** Actors by id or by name. */
  actors?: string[]
  sources?: string[]
  priority?: Priority[]
  /** Conditions on fields, see filter-where.ts. */
  where?: { [key: string]: Json }
}

/** The fields of an event by which most filters can tell at once that it is not wanted. */
export type EventHeadFields = Pick<LoggedEvent, "platform" | "type" | "source" | "priority">

const maxBytes = 16_384

/** The keys of a filter that hold lists of words; each is also a query parameter of a stream. */
export const listKeys = ["platforms", "types", "entities", "actors", "sources", "priority"] as const

// Stars are bounded because a chain of them makes the matcher try every way to share the segments out.
const typePattern = z
  .string()
  .max(200)
  .regex(/^[a-z0-9_*]+(\.[a-z0-9_*]+)*$/i, "must be dot-separated words, with * or ** for any")
  .refine((pattern) => (pattern.match(/\*+/g) ?? []).length <= 4, "has more than four wildcards")

const word = z.string().min(1).max(1024).refine(isStorableText, "must be well-formed text without NUL")

const schema = z.strictObject({
  platforms: listOf(z.enum(platformNames)).optional(),
  types: listOf(typePattern).optional(),
  entities: listOf(word.transform((text) => canonicalEntityKey(text) ?? text)).optional(),
  actors: listOf(word).optional(),
  sources: listOf(word).optional(),
  priority: listOf(z.enum(priorities)).optional(),
  where: z.unknown().optional(),
})

/**
 * Reads a filter from an object or from its JSON text. Throws 400 for whatever it does not know: a
 * key that were ignored would let everything pass.
 */
export function parseFilter(input: unknown): Filter {
  const parsed = schema.safeParse(typeof input === "string" ? parseText(input) : input)
  if (!parsed.success) throw refuse(parsed.error.issues.map(describe).join("; "))
  const { where, ...lists } = parsed.data
  const filter: Filter = {}
  for (const key of listKeys) Object.assign(filter, lists[key] === undefined ? {} : { [key]: lists[key] })
  if (where !== undefined && JSON.stringify(where) !== "{}") filter.where = compileWhere(where).canonical
  if (filterKey(filter).length > maxBytes) throw refuse(`it has more than ${maxBytes} characters`)
  return filter
}

/**
 * Reads a filter from query parameters: the JSON text of one, and lists beside it, each
 * comma-separated. Throws 400 for a key that is given in both.
 */
export function filterFromParameters(
  text: string | undefined,
  lists: (key: (typeof listKeys)[number]) => readonly string[] | undefined,
): Filter {
  const base = text === undefined ? {} : parseFilter(text)
  const extra: Record<string, string[]> = {}
  for (const key of listKeys) {
    const values = lists(key)
    if (values === undefined) continue
    if (base[key] !== undefined) {
      throw new SignalboxError("bad_request", `${key} is given both in filter and by itself`)
    }
    extra[key] = values.flatMap((value) => value.split(",")).filter((value) => value !== "")
  }
  return parseFilter({ ...base, ...extra })
}

/** The canonical JSON of a parsed filter: equal for filters that let the same events pass. */
export function filterKey(filter: Filter): string {
  const keys = [...listKeys, "where" as const]
  return JSON.stringify(Object.fromEntries(keys.flatMap((key) => (filter[key] ? [[key, filter[key]]] : []))))
}

/**
 * Compiles a parsed filter; never throws on an event, whatever its payload, and spends a bounded
 * number of steps on each (see compileWhere).
 */
export function compileFilter(filter: Filter): (event: LoggedEvent, steps?: Steps) => boolean {
  const { entities, actors, where } = filter
  const tests: ((event: LoggedEvent, steps?: Steps) => boolean)[] = [compileHeadFilter(filter)]
  if (actors !== undefined) {
    const wanted = new Set(actors)
    tests.push(({ actor }) => actor !== null && (wanted.has(actor.id) || wanted.has(actor.name)))
  }
  if (entities !== undefined) {
    const wanted = new Set(entities)
    tests.push(
      ({ entity, references }) =>
        (entity !== null && wanted.has(entity)) || references.some((found) => wanted.has(found.entity)),
    )
  }
  if (where !== undefined) {
    const conditions = compileWhere(where)
    tests.push(conditions.test)
  }
  return (event, steps) => tests.every((test) => test(event, steps))
}

/** Compiles the part of a filter that needs no more than the head fields; lets pass what the whole might. */
export function compileHeadFilter(filter: Filter): (event: EventHeadFields) => boolean {
  const tests: ((event: EventHeadFields) => boolean)[] = []
  if (filter.platforms !== undefined) tests.push(oneOf("platform", filter.platforms))
  if (filter.sources !== undefined) tests.push(oneOf("source", filter.sources))
  if (filter.priority !== undefined) tests.push(oneOf("priority", filter.priority))
  if (filter.types !== undefined) {
    const matches = compilePatterns(filter.types)
    tests.push((event) => matches(event.type))
  }
  return (event) => tests.every((test) => test(event))
}

function oneOf(field: keyof EventHeadFields, values: readonly string[]): (event: EventHeadFields) => boolean {
  const wanted = new Set(values)
  return (event) => wanted.has(event[field])
}

/** A list of 1 to 256, or one alone; comes out sorted and without repeats. */
function listOf<T extends z.ZodType<string>>(item: T) {
  const list = z.array(item).min(1, "must not be empty").max(256)
  return z
    .union([z.string(), z.array(z.unknown())])
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .pipe(list)
    .transform((values) => [...new Set(values)].toSorted())
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SignalboxError("bad_request", "filter: it is not valid JSON", { cause })
  }
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return unknownNames("key", issue.keys, Object.keys(schema.shape))
  }
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`
}

function refuse(reason: string): SignalboxError {
  return new SignalboxError("bad_request", `filter: ${reason}`)
}
