/** How the subjects of a log begin, and what its stream is called. */
export interface SubjectNames {
  /** First token of all subjects. */
  prefix: string
  stream: string
}

const longest = 200

/** The names that follow from a prefix of letters, digits, `_` and `-`: `signalbox`, the stream `SIGNALBOX`. */
export function subjectNames(prefix: string): SubjectNames {
  return { prefix, stream: prefix.toUpperCase() }
}

/** Subject of an event: `signalbox.acme.github.push.pushed`. */
export function eventSubject(prefix: string, { tenant, type }: { tenant: string; type: string }): string {
  const words = type.slice(0, longest).split(".").map(subjectToken)
  return [prefix, subjectToken(tenant.slice(0, longest)), ...words].join(".")
}

/** Subject of what belongs to no tenant: a gap, a log that was set back. No event has a subject so short. */
export function noticeSubject(prefix: string, kind: string): string {
  return `${prefix}.${kind}`
}

/**
 * One token of a subject: whatever is no ASCII letter, digit, `_` or `-` stands as in a URL, `%2E` for a
 * dot, because blanks, dots, `*` and `>` mean something to NATS. Nothing at all is `%`.
 */
export function subjectToken(text: string): string {
  if (text === "") return "%"
  return text.replace(/[^A-Za-z0-9_-]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  )
}
