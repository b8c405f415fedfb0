/** Counts things by their names. */
export interface Tally<Name extends string = string> {
  of(name: Name): number
  add(name: Name): void
  remove(name: Name): void
  /** Those that count something. */
  names(): Iterable<Name>
}

/** Makes a tally; names that count nothing take no room. */
export function createTally<Name extends string = string>(): Tally<Name> {
  const counts = new Map<Name, number>()
  const of = (name: Name): number => counts.get(name) ?? 0
  return {
    of,
    names: () => counts.keys(),
    add: (name) => void counts.set(name, of(name) + 1),
    remove: (name) => {
      if (of(name) > 1) counts.set(name, of(name) - 1)
      else counts.delete(name)
    },
  }
}
