import { SignalboxError } from "./errors.ts"

/** A parsed pattern; tests are given code points, and `cost` is how many comparisons one may take. */
export type RegexpNode =
  | { kind: "char"; accepts: (codePoint: number) => boolean; cost: number }
  | { kind: "assert"; holds: Assertion }
  | { kind: "sequence"; items: RegexpNode[] }
  | { kind: "choice"; options: RegexpNode[] }
  | { kind: "repeat"; item: RegexpNode; min: number; max: number }

/** Whether an anchor holds between two code points, either of them `none` at an end of the text. */
export type Assertion = (before: number, after: number) => boolean

/** Stands for the code point before the first and after the last. */
export const none = -1

const lineEnds = new Set([0x0a, 0x0d, 0x2028, 0x2029])
const isDigit = (c: number) => c >= 0x30 && c <= 0x39
const isLetter = (c: number) => (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a
const isWord = (c: number) => isDigit(c) || c === 0x5f || isLetter(c)
const isSpace = (c: number) =>
  c > 0x7f ? /\s/u.test(String.fromCodePoint(c)) : c === 0x20 || (c >= 9 && c <= 13)
const isBoundary: Assertion = (before, after) => isWord(before) !== isWord(after)

const classes: Readonly<Record<string, (codePoint: number) => boolean>> = {
  d: isDigit,
  D: (c) => !isDigit(c),
  w: isWord,
  W: (c) => !isWord(c),
  s: isSpace,
  S: (c) => !isSpace(c),
}

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 }

/** Parses a pattern; throws 400 with what is wrong in it. */
export function parseRegexp(pattern: string, anyCase: boolean): RegexpNode {
  return createParser(pattern, anyCase)
}

function createParser(pattern: string, anyCase: boolean): RegexpNode {
  const chars = Array.from(pattern)
  let at = 0

  function parse(): RegexpNode {
    const node = choice()
    if (at < chars.length) throw refuseRegexp(`has an unmatched "${chars[at]}"`)
    return node
  }

  function choice(): RegexpNode {
    const options = [sequence()]
    while (take("|")) options.push(sequence())
    return options.length === 1 ? options[0]! : { kind: "choice", options }
  }

  function sequence(): RegexpNode {
    const items: RegexpNode[] = []
    while (at < chars.length && chars[at] !== "|" && chars[at] !== ")") items.push(repeated())
    return { kind: "sequence", items }
  }

  function repeated(): RegexpNode {
    const item = atom()
    const bounds = quantifier()
    if (bounds === undefined) return item
    if (item.kind === "assert") throw refuseRegexp("repeats an anchor")
    take("?") // a lazy quantifier finds other matches, not more
    if (quantifier() !== undefined) throw refuseRegexp("has nothing to repeat")
    return { kind: "repeat", item, ...bounds }
  }

  function quantifier(): { min: number; max: number } | undefined {
    if (take("*")) return { min: 0, max: Infinity }
    if (take("+")) return { min: 1, max: Infinity }
    if (take("?")) return { min: 0, max: 1 }
    if (chars[at] !== "{") return undefined
    const bounds = /^\{(\d{1,3})(?:(,)(\d{1,3})?)?\}/.exec(chars.slice(at, at + 12).join(""))
    if (bounds === null) throw refuseRegexp('has a "{" that is neither escaped nor a repetition')
    at += bounds[0].length
    const min = Number(bounds[1])
    const max = bounds[2] === undefined ? min : bounds[3] === undefined ? Infinity : Number(bounds[3])
    if (max < min) throw refuseRegexp("has a repetition whose bounds are out of order")
    return { min, max }
  }

  function atom(): RegexpNode {
    const char = chars[at++]!
    if (char === "(") return group()
    if (char === "[") return characterClass()
    if (char === ".") return { kind: "char", accepts: (c) => !lineEnds.has(c), cost: 1 }
    if (char === "^") return { kind: "assert", holds: (before) => before === none }
    if (char === "$") return { kind: "assert", holds: (_, after) => after === none }
    if (char === "\\") return escapedAtom()
    if ("*+?{".includes(char)) throw refuseRegexp("has nothing to repeat")
    if ("}]".includes(char)) throw refuseRegexp(`has a "${char}" that is not escaped`)
    return literal(char.codePointAt(0)!)
  }

  function group(): RegexpNode {
    if (take("?")) {
      const named = take("<") && chars[at] !== "=" && chars[at] !== "!"
      if (named) while (at < chars.length && !take(">")) at++
      else if (!take(":")) throw refuseRegexp("uses look-around or flags within, which are not supported")
    }
    const inner = choice()
    if (!take(")")) throw refuseRegexp('has an unmatched "("')
    return inner
  }

  function escapedAtom(): RegexpNode {
    const char = chars[at]
    if (char === "b" || char === "B") {
      at++
      return { kind: "assert", holds: char === "b" ? isBoundary : (b, a) => !isBoundary(b, a) }
    }
    const found = escaped()
    return typeof found === "number" ? literal(found) : { kind: "char", accepts: found, cost: 1 }
  }

  function escaped(): number | ((codePoint: number) => boolean) {
    const char = chars[at++]
    if (char === undefined) throw refuseRegexp("ends in a backslash")
    const named = classes[char]
    if (named !== undefined) return named
    if (char === "x" || char === "u") return hexadecimal(char)
    const control = controls[char]
    if (control !== undefined && !(char === "0" && /\d/.test(chars[at] ?? ""))) return control
    if (/[0-9a-z]/i.test(char)) throw refuseRegexp(`uses \\${char}, which is not supported`)
    return char.codePointAt(0)!
  }

  function hexadecimal(kind: "x" | "u"): number {
    const rest = chars.slice(at, at + 8).join("")
    const found = (kind === "x" ? /^([\da-f]{2})/i : /^(?:([\da-f]{4})|\{([\da-f]{1,6})\})/i).exec(rest)
    const codePoint = Number.parseInt(found?.[1] ?? found?.[2] ?? "", 16)
    if (found === null || codePoint > 0x10ffff)
      throw refuseRegexp(`has a \\${kind} without its hexadecimal digits`)
    at += found[0].length
    return codePoint
  }

  function characterClass(): RegexpNode {
    const negated = take("^")
    const members: ((codePoint: number, forms: readonly number[]) => boolean)[] = []
    while (!take("]")) {
      const low = classMember()
      if (chars[at] !== "-" || chars[at + 1] === "]") members.push(memberTest(low, low))
      else {
        at++
        members.push(memberTest(low, classMember()))
      }
    }
    const accepts = (c: number) => {
      const forms = anyCase ? variants(c) : [c]
      return members.some((member) => member(c, forms)) !== negated
    }
    return { kind: "char", accepts, cost: members.length + (anyCase ? 4 : 1) }
  }

  function classMember(): number | ((codePoint: number) => boolean) {
    if (at >= chars.length) throw refuseRegexp('has an unmatched "["')
    const char = chars[at++]!
    if (char !== "\\") return char.codePointAt(0)!
    if (take("b")) return 8
    return escaped()
  }

  function memberTest(
    low: ReturnType<typeof classMember>,
    high: typeof low,
  ): (codePoint: number, forms: readonly number[]) => boolean {
    if (typeof low === "function") {
      if (low !== high) throw refuseRegexp("has a range that begins with a class")
      return low
    }
    if (typeof high === "function" || high < low) throw refuseRegexp("has a range that is out of order")
    return (_, forms) => forms.some((form) => form >= low && form <= high)
  }

  function literal(codePoint: number): RegexpNode {
    if (!anyCase) return { kind: "char", accepts: (c) => c === codePoint, cost: 1 }
    const accepted = variants(codePoint)
    return { kind: "char", accepts: (c) => accepted.includes(c), cost: 1 }
  }

  function take(char: string): boolean {
    if (chars[at] !== char) return false
    at++
    return true
  }

  return parse()
}

/** A code point with its lower and upper case, where that is one code point. */
function variants(codePoint: number): number[] {
  if (codePoint < 128) return isLetter(codePoint) ? [codePoint, codePoint ^ 0x20] : [codePoint]
  const char = String.fromCodePoint(codePoint)
  const forms = [codePoint]
  for (const other of [char.toLowerCase(), char.toUpperCase()]) {
    const form = other.codePointAt(0)
    if (form !== undefined && other.length === (form > 0xffff ? 2 : 1)) forms.push(form)
  }
  return forms
}

/** The error for a pattern that is not taken. */
export function refuseRegexp(reason: string): SignalboxError {
  return new SignalboxError("bad_request", `filter: the $regex ${reason}`)
}
