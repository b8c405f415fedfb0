import { SignalboxError } from "../core/errors.ts"
import type { Platform } from "../core/platform.ts"

const nameForm = /^[A-Za-z0-9][\w.-]{0,62}$/
const maxSecretChars = 4096

/** The platform of this name. Throws `bad_request` naming those that there are. */
export function platformNamed(platforms: readonly Platform[], name: string): Platform {
  const platform = platforms.find((candidate) => candidate.name === name)
  if (platform !== undefined) return platform
  const known = platforms.map((candidate) => candidate.name).join(", ")
  throw refusal(`unknown platform ${JSON.stringify(name)}: there are ${known}`)
}

/** Refuses a name that a webhook's path cannot hold. */
export function checkName(name: string): void {
  if (nameForm.test(name)) return
  throw refusal('a name has 1 to 63 letters, digits, "_", "-" and ".", and begins with a letter or digit')
}

/** Refuses a kind of sender that the platform does not have. */
export function checkSender(platform: Platform, sender: string | null | undefined): void {
  const { senders = [] } = platform
  if (sender === undefined || sender === null || senders.includes(sender)) return
  throw refusal(
    senders.length === 0
      ? `${platform.name} has one kind of sender only: leave sender out`
      : `sender must be one of ${senders.join(", ")}`,
  )
}

/** Refuses a signing secret that the platform, or this kind of its senders, cannot have. */
export function checkSecret(platform: Platform, value: string, sender: string | null | undefined): void {
  const problem = secretProblem(value) ?? platform.checkSecret?.(value, sender ?? undefined)
  if (problem) throw refusal(`the secret ${problem}`)
}

/** Refuses what cannot be a token or key for the platform's API. */
export function checkCredential(value: string): void {
  const problem =
    secretProblem(value) ??
    (/^[\x21-\x7e]+$/.test(value) ? null : "must be printable ASCII without blanks, as a header carries it")
  if (problem !== null) throw refusal(`the credential ${problem}`)
}

function secretProblem(value: string): string | null {
  if (value === "") return "is empty"
  if (value.length > maxSecretChars) return `has more than ${maxSecretChars} characters`
  return value.isWellFormed() ? null : "is not well-formed text"
}

function refusal(message: string): SignalboxError {
  return new SignalboxError("bad_request", message)
}
