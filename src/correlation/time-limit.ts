import { createContext, Script } from "node:vm"

/** Runs a call, and throws where it takes too long. */
export type TimeLimit = <T>(call: () => T) => T

const maxOverruns = 10

/**
 * Ends a synchronous call that takes longer than `maxMs`, an endless loop included, with an Error that says so;
 * what has taken too long ten times is not called again. Each call costs a thread that watches it (tens to
 * hundreds of µs).
 */
export function createTimeLimit(maxMs: number): TimeLimit {
  const box: { run: (() => void) | undefined } = { run: undefined }
  const script = new Script("run()")
  const context = createContext(box)
  const message = `took longer than ${maxMs / 1_000} s`
  let overruns = 0
  return (call) => {
    if (overruns === maxOverruns) {
      throw new Error(`${message} on ${maxOverruns} events, and is not asked again`)
    }
    let outcome: { answer: ReturnType<typeof call> } | undefined
    box.run = () => {
      outcome = { answer: call() }
    }
    try {
      script.runInContext(context, { timeout: maxMs })
    } catch (error) {
      if (!isTimeout(error)) throw error
      overruns++
    } finally {
      box.run = undefined
    }
    if (outcome === undefined) throw new Error(message)
    return outcome.answer
  }
}

/** Its error is of the context's own realm, and so no instance of this one's Error. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
  )
}
