import type { LoggedEvent } from "./envelope.ts"
import { SignalboxError } from "./errors.ts"
import { compilePath } from "./filter-path.ts"
import { createSteps, exhaust, isSpent, spend, type Steps } from "./filter-steps.ts"
import { isStorableText } from "./filter-text.ts"
import { compileLinearRegexp, type RegexpTest } from "./linear-regexp.ts"

/** JSON in canonical form: keys in order. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Conditions on an event in canonical form, and their test. */
export interface CompiledWhere {
  canonical: { [key: string]: Json }
  /** Asks about one event; the steps are a fresh `maxSteps` unless given. */
  test: (event: LoggedEvent, steps?: Steps) => boolean
}

interface CompiledClauses {
  canonical: { [key: string]: Json }
  test: (event: LoggedEvent, steps: Steps) => boolean
}

interface CompiledCondition {
  canonical: { [key: string]: Json }
  test: (values: unknown[], steps: Steps) => boolean
}

type Scalar = string | number | boolean | null
type ValueTest = (value: unknown) => boolean

const maxNodes = 128
const maxDepth = 8
const maxList = 256
const maxText = 1024
const maxRegexps = 4
const maxRegexpValues = 100

/** Counts what a filter asks for, so that no filter costs without bound. */
interface Budget {
  nodes: number
  regexps: number
}

/**
 * Compiles `{path: condition}` pairs, all of which must hold; `$and`, `$or` and `$not` combine such
 * objects. A condition is a plain value (the same as `$eq`) or an object of operators. `$neq`, `$nin`
 * and `$not` also hold where the path is missing. Throws 400 with what is wrong, and where.
 *
 * All conditions share `maxSteps` for one event, and a `$regex` looks at 100 texts of its path. Where
 * that does not do, the condition counts as not matched, and so does every one asked after it; a `$not`
 * does not hold on such grounds, so that a filter never lets an event pass unexamined.
 */
export function compileWhere(input: unknown): CompiledWhere {
  const { canonical, test } = compileClauses(input, { nodes: 0, regexps: 0 }, 0)
  return { canonical, test: (event, steps = createSteps()) => test(event, steps) }
}

function compileClauses(input: unknown, budget: Budget, depth: number): CompiledClauses {
  const entries = entriesOf(input, "where", budget, depth)
  const canonical: { [key: string]: Json } = {}
  const tests = entries.map(([key, value]): CompiledClauses["test"] => {
    if (key === "$and" || key === "$or") {
      const parts = listOf(value, key).map((part) => compileClauses(part, budget, depth + 1))
      canonical[key] = parts.map((part) => part.canonical)
      return key === "$and"
        ? (event, steps) => parts.every((part) => part.test(event, steps))
        : (event, steps) => parts.some((part) => part.test(event, steps))
    }
    if (key === "$not") {
      const part = compileClauses(value, budget, depth + 1)
      canonical[key] = part.canonical
      return (event, steps) => !part.test(event, steps) && !isSpent(steps)
    }
    if (key.startsWith("$")) throw refuse(`unknown operator ${key} in where; known: $and, $or, $not`)
    const read = compilePath(key)
    const condition = compileCondition(value, key, budget, depth + 1)
    canonical[key] = condition.canonical
    return (event, steps) => {
      const values = read(event, steps)
      return !isSpent(steps) && condition.test(values, steps)
    }
  })
  return { canonical, test: (event, steps) => tests.every((test) => test(event, steps)) }
}

function compileCondition(input: unknown, path: string, budget: Budget, depth: number): CompiledCondition {
  if (isScalar(input)) return compileCondition({ $eq: input }, path, budget, depth)
  const entries = entriesOf(input, path, budget, depth)
  const canonical: { [key: string]: Json } = {}
  const tests = entries.map(([operator, operand]): CompiledCondition["test"] => {
    if (operator === "$and" || operator === "$or") {
      const parts = listOf(operand, operator).map((part) => compileCondition(part, path, budget, depth + 1))
      canonical[operator] = parts.map((part) => part.canonical)
      return operator === "$and"
        ? (values, steps) => parts.every((part) => part.test(values, steps))
        : (values, steps) => parts.some((part) => part.test(values, steps))
    }
    if (operator === "$not") {
      const part = compileCondition(operand, path, budget, depth + 1)
      canonical[operator] = part.canonical
      return (values, steps) => !part.test(values, steps) && !isSpent(steps)
    }
    const compiled = compileOperator(operator, operand, path, budget)
    canonical[operator] = compiled.canonical
    return (values, steps) => spend(steps, values.length) && compiled.test(values, steps)
  })
  return { canonical, test: (values, steps) => tests.every((test) => test(values, steps)) }
}

function compileOperator(
  operator: string,
  operand: unknown,
  path: string,
  budget: Budget,
): { canonical: Json; test: CompiledCondition["test"] } {
  const where = `where.${path}.${operator}`
  switch (operator) {
    case "$eq":
    case "$neq": {
      const wanted = scalar(operand, where)
      return some(wanted, (value) => value === wanted, operator === "$neq")
    }
    case "$in":
    case "$nin": {
      const wanted = new Set(listOf(operand, where).map((item) => scalar(item, where)))
      return some([...wanted], (value) => isScalar(value) && wanted.has(value), operator === "$nin")
    }
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte": {
      const bound = scalar(operand, where)
      if (typeof bound !== "string" && typeof bound !== "number") {
        throw refuse(`${where} must be a number or a string`)
      }
      return some(bound, (value) => typeof value === typeof bound && compare(operator, value, bound))
    }
    case "$startsWith":
    case "$endsWith": {
      const edge = text(operand, where)
      return operator === "$startsWith"
        ? some(edge, (value) => typeof value === "string" && value.startsWith(edge))
        : some(edge, (value) => typeof value === "string" && value.endsWith(edge))
    }
    case "$regex": {
      const pattern = text(operand, where)
      if (++budget.regexps > maxRegexps) throw refuse(`where has more than ${maxRegexps} $regex conditions`)
      return { canonical: pattern, test: anyMatches(compileLinearRegexp(pattern)) }
    }
    case "$exist":
      if (typeof operand !== "boolean") throw refuse(`${where} must be true or false`)
      return { canonical: operand, test: (values) => values.length > 0 === operand }
    default:
      throw refuse(
        `unknown operator ${operator} at where.${path}; known: $eq, $neq, $gt, $gte, $lt, $lte, $in, $nin, $startsWith, $endsWith, $regex, $exist, $and, $or, $not`,
      )
  }
}

function some(canonical: Json, test: ValueTest, negated = false) {
  return {
    canonical,
    test: negated ? (values: unknown[]) => !values.some(test) : (values: unknown[]) => values.some(test),
  }
}

function anyMatches(matches: RegexpTest): CompiledCondition["test"] {
  return (values, steps) => {
    const texts = values.filter((value) => typeof value === "string")
    if (texts.slice(0, maxRegexpValues).some((tried) => matches(tried, steps))) return true
    if (texts.length > maxRegexpValues) exhaust(steps)
    return false
  }
}

function compare(operator: string, value: unknown, bound: string | number): boolean {
  if (typeof value !== "string" && typeof value !== "number") return false
  if (operator === "$gt") return value > bound
  if (operator === "$gte") return value >= bound
  if (operator === "$lt") return value < bound
  return value <= bound
}

function entriesOf(input: unknown, where: string, budget: Budget, depth: number): [string, unknown][] {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw refuse(`${where} must be an object`)
  }
  if (depth > maxDepth) throw refuse(`where is nested deeper than ${maxDepth}`)
  const entries = Object.entries(input)
  if (entries.length === 0) throw refuse(`${where} must not be empty`)
  budget.nodes += entries.length
  if (budget.nodes > maxNodes) throw refuse(`where has more than ${maxNodes} conditions`)
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function listOf(input: unknown, where: string): unknown[] {
  if (!Array.isArray(input) || input.length === 0 || input.length > maxList) {
    throw refuse(`${where} must be a list of 1 to ${maxList}`)
  }
  return input
}

function scalar(input: unknown, where: string): Scalar {
  if (!isScalar(input)) throw refuse(`${where} must be a string, a number, true, false or null`)
  return typeof input === "string" ? text(input, where) : input
}

function text(input: unknown, where: string): string {
  if (typeof input !== "string" || input.length > maxText) {
    throw refuse(`${where} must be a string of ${maxText} characters at most`)
  }
  if (!isStorableText(input)) throw refuse(`${where} must be well-formed text without NUL`)
  return input
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ["string", "number", "boolean"].includes(typeof value)
}

function refuse(reason: string): SignalboxError {
  return new SignalboxError("bad_request", `filter: ${reason}`)
}
