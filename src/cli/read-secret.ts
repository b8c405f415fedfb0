import { SignalboxError } from "../core/errors.ts"
import { textOption, type CommandContext } from "./command.ts"

const maxBytes = 64 * 1024

/**
 * A secret by `--<kind>-env NAME`, the variable that holds it, or by `--<kind>-stdin`; undefined where
 * neither is given. It is never an argument itself: those are for all of the machine to see.
 */
export async function readSecret(
  { options, env }: CommandContext,
  kind: "secret" | "token",
): Promise<string | undefined> {
  const variable = textOption(options, `${kind}-env`)
  const fromStdin = options[`${kind}-stdin`] === true
  if (variable !== undefined && fromStdin) {
    throw new SignalboxError("bad_request", `give --${kind}-env or --${kind}-stdin, not both`)
  }
  if (variable !== undefined) {
    const value = env[variable] ?? ""
    if (value === "")
      throw new SignalboxError("bad_request", `${variable} is not set: it should hold the ${kind}`)
    return value
  }
  return fromStdin ? readStdin(kind) : undefined
}

async function readStdin(kind: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    const part = Buffer.from(chunk)
    bytes += part.length
    if (bytes > maxBytes) throw new SignalboxError("bad_request", `the ${kind} on standard input is too long`)
    chunks.push(part)
  }
  const value = Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, "")
  if (value === "") throw new SignalboxError("bad_request", `there is no ${kind} on standard input`)
  return value
}
