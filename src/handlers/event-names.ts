/** The words of a map that are names; a map may also have patterns of names as keys. */
type Key<Map> = keyof Map & string

type Base<Name extends string> = Name extends `${infer Event}:${string}` ? Event : Name

/** Names of which any will do would take the typos along. */
type Narrow<Name extends string> = string extends Name ? never : Name

/**
 * What a handler of a platform may be registered under: a name of its map (`pull_request:opened`), the
 * name without the action, or with `*` for it, which both take every action.
 */
export type EventName<Map> = Key<Map> | Narrow<Base<Key<Map>>> | `${Base<Key<Map>>}:*`

/** The payload of the events that a name stands for. */
export type PayloadOf<Map, Name extends string> = Name extends keyof Map
  ? Map[Name]
  : Base<Name> extends keyof Map
    ? Map[Base<Name>]
    : Map[keyof Map]

/** Whether an event's name is one that a handler's stands for. */
export function compileName(wanted: string): (name: string) => boolean {
  const event = wanted.endsWith(":*") ? wanted.slice(0, -2) : wanted
  const prefix = `${event}:`
  if (event === wanted && wanted.includes(":")) return (name) => name === wanted
  return (name) => name === event || name.startsWith(prefix)
}
