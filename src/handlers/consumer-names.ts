import { SignalboxError } from "../core/errors.ts"

/** The names of a process's handlers and callbacks, each of which is one consumer's identity. */
export interface ConsumerNames {
  /** The name given, or else one made of these parts and numbered where it is taken. Throws where a given one is. */
  claim(given: string | undefined, parts: readonly string[]): string
  release(name: string): void
}

const maxChars = 200

/** Makes the names of a process. */
export function createConsumerNames(): ConsumerNames {
  const taken = new Set<string>()

  function derive(parts: readonly string[]): string {
    const base = parts
      .filter((part) => part !== "")
      .join("/")
      .slice(0, maxChars)
    let name = base
    for (let ordinal = 2; taken.has(name); ordinal++) name = `${base}#${ordinal}`
    return name
  }

  return {
    claim(given, parts) {
      if (given !== undefined && (given === "" || given.length > maxChars)) {
        throw new SignalboxError("configuration", `a handler's name has 1 to ${maxChars} characters`)
      }
      const name = given ?? derive(parts)
      if (taken.has(name)) {
        throw new SignalboxError(
          "configuration",
          `there are two handlers named "${name}": give each a name of its own`,
        )
      }
      taken.add(name)
      return name
    },
    release(name) {
      taken.delete(name)
    },
  }
}
