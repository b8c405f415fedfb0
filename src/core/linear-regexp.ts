import { spend, type Steps } from "./filter-steps.ts"
import { none, parseRegexp, refuseRegexp, type Assertion, type RegexpNode } from "./regexp-parser.ts"

/**
 * Tests whether a text holds a match; it looks at the first `maxInput` UTF-16 units only. It takes its
 * work off the steps, and once they are spent there is no match.
 */
export type RegexpTest = (text: string, steps: Steps) => boolean

const maxPattern = 256
const maxProgram = 256
const maxWork = 4096
const maxInput = 4096

type Instruction =
  | { op: "char"; accepts: (codePoint: number) => boolean; cost: number }
  | { op: "assert"; holds: Assertion }
  | { op: "split"; first: number; second: number }
  | { op: "jump"; to: number }
  | { op: "match" }

/**
 * Compiles a regular expression of somebody else's making. JavaScript's own engine backtracks, and a
 * hostile pattern keeps it busy for hours; this one follows all alternatives at once (Thompson's
 * construction), so time grows with pattern × text and never faster. It takes the usual syntax,
 * `(?i)` in front for any case; back references, look-around and `\p{…}` are refused with 400.
 */
export function compileLinearRegexp(pattern: string): RegexpTest {
  if (pattern.length > maxPattern) throw refuseRegexp(`has ${maxPattern} characters at most`)
  const anyCase = pattern.startsWith("(?i)")
  const root = parseRegexp(anyCase ? pattern.slice(4) : pattern, anyCase)
  const program: Instruction[] = []
  createEmitter(program)(root)
  program.push({ op: "match" })
  return (text, steps) => run(program, text.length > maxInput ? text.slice(0, maxInput) : text, steps)
}

/** The states a program may be in: a sparse set, so that it is emptied by forgetting its size. */
interface States {
  size: number
  /** The members, in order of arrival. */
  dense: Uint16Array
  /** Where a state stands in `dense`, if it is a member. */
  sparse: Uint16Array
}

function createStates(length: number): States {
  return { size: 0, dense: new Uint16Array(length), sparse: new Uint16Array(length) }
}

/** Adds a state; false where it is a member already. */
function add(states: States, state: number): boolean {
  const at = states.sparse[state] ?? 0
  if (at < states.size && states.dense[at] === state) return false
  states.sparse[state] = states.size
  states.dense[states.size++] = state
  return true
}

/** Walks the text once, holding the set of all states the program may be in. */
function run(program: readonly Instruction[], text: string, steps: Steps): boolean {
  let current = createStates(program.length)
  let next = createStates(program.length)
  let before = none
  for (let at = 0; steps.left >= 0;) {
    const after = text.codePointAt(at) ?? none
    if (follow(program, current, 0, before, after, steps)) return true // a match may begin at every place
    if (after === none) return false
    at += after > 0xffff ? 2 : 1
    const beyond = text.codePointAt(at) ?? none
    for (let index = 0; index < current.size; index++) {
      const state = current.dense[index] ?? 0
      const instruction = program[state]
      if (instruction?.op !== "char") continue
      if (!spend(steps, instruction.cost)) return false
      if (instruction.accepts(after) && follow(program, next, state + 1, after, beyond, steps)) return true
    }
    ;[current, next] = [next, current]
    next.size = 0
    before = after
  }
  return false
}

/** Adds a state and all that it reaches without reading on; true where that is the end. */
function follow(
  program: readonly Instruction[],
  states: States,
  start: number,
  before: number,
  after: number,
  steps: Steps,
): boolean {
  const open = [start]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (!spend(steps, 1)) return false
    if (!add(states, state)) continue
    const instruction = program[state]
    if (instruction === undefined) continue
    if (instruction.op === "match") return true
    if (instruction.op === "jump") open.push(instruction.to)
    else if (instruction.op === "split") open.push(instruction.second, instruction.first)
    else if (instruction.op === "assert" && instruction.holds(before, after)) open.push(state + 1)
  }
  return false
}

/** Writes out a tree as a program; `work` also bounds repetitions of nothing, which write nothing. */
function createEmitter(program: Instruction[]): (node: RegexpNode) => void {
  let work = 0

  function emit(node: RegexpNode): void {
    if (++work > maxWork || program.length > maxProgram) {
      throw refuseRegexp("is too large once its repetitions are written out")
    }
    if (node.kind === "char") program.push({ op: "char", accepts: node.accepts, cost: node.cost })
    else if (node.kind === "assert") program.push({ op: "assert", holds: node.holds })
    else if (node.kind === "sequence") node.items.forEach(emit)
    else if (node.kind === "choice") emitChoice(node.options)
    else emitRepeat(node.item, node.min, node.max)
  }

  function emitChoice(options: readonly RegexpNode[]): void {
    const ends: { op: "jump"; to: number }[] = []
    options.forEach((option, index) => {
      if (index === options.length - 1) return emit(option)
      const split = pushSplit()
      emit(option)
      const jump = { op: "jump" as const, to: 0 }
      program.push(jump)
      ends.push(jump)
      split.second = program.length
    })
    for (const jump of ends) jump.to = program.length
  }

  function emitRepeat(item: RegexpNode, min: number, max: number): void {
    for (let n = 0; n < min; n++) emit(item)
    if (max === Infinity) {
      const loop = program.length
      const split = pushSplit()
      emit(item)
      program.push({ op: "jump", to: loop })
      split.second = program.length
      return
    }
    const exits: { second: number }[] = []
    for (let n = min; n < max; n++) {
      exits.push(pushSplit())
      emit(item)
    }
    for (const split of exits) split.second = program.length
  }

  /** A fork that goes on with the next instruction, or with one still to be told. */
  function pushSplit(): { second: number } {
    const split = { op: "split" as const, first: program.length + 1, second: 0 }
    program.push(split)
    return split
  }

  return emit
}
