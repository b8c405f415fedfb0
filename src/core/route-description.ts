import type { z } from "zod"

/** What a route of the hub is for and takes and answers, for the OpenAPI document to say. */
export interface RouteDescription {
  method: "get" | "post" | "patch" | "delete"
  /** From the root, parameters in braces: `/api/v1/events/{id}`. */
  path: string
  /** Heading under which it stands. */
  group: string
  /** One line. */
  summary: string
  /** Whatever else there is to know, as Markdown. */
  details?: string
  /** What its key must be allowed; null where no key is asked for. */
  scope: string | null
  /** What each parameter and each member of the body is, by name. */
  words?: Readonly<Record<string, string>>
  /** The schema that the query string is parsed by. */
  query?: z.ZodType
  /** Headers that the request may have, and what they do. */
  headers?: Readonly<Record<string, string>>
  body?: BodyDescription
  /** By status; what every route may answer besides is left out. */
  answers: Readonly<Record<number, AnswerDescription>>
  /** Statuses of its problems, besides those that follow from the rest (a bad query, a missing scope). */
  problems?: readonly ProblemStatus[]
}

export interface BodyDescription {
  /** The schema that it is parsed by; absent where it may be anything of its media type. */
  schema?: z.ZodType
  /** Whether it may be left out. */
  optional?: boolean
  /** `application/json` unless given. */
  mediaType?: string
}

export interface AnswerDescription {
  words: string
  /** Absent where there is no body, or anything of its media type. */
  schema?: z.ZodType
  /** `application/json` unless given, where there is a schema. */
  mediaType?: string
}

export type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 429 | 503
