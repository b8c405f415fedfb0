/** A part of a text, in UTF-16 units. */
export interface Span {
  start: number
  end: number
}

/**
 * What secrets look like, whoever sends them. Where there are groups, the second one is the secret and
 * the first its mark. A letter before one may be the end of an escape, where JSON is quoted in a text.
 * Each is a mark and a run of letters, so that no text takes more than linear time; the run is as long, and
 * of such letters alone, as the sender makes it, since names of branches begin with `npm_` too.
 * A hint of each belongs in `secret-hints.ts`, and its like in `schemas/views/event_payload.sql`.
 */
const shapes: readonly RegExp[] = [
  /gh[pousr]_[A-Za-z0-9]{16,}/g, // GitHub: personal, OAuth, app user, installation, refresh
  /github_pat_[A-Za-z0-9]{20,}[A-Za-z0-9_]*/g,
  /(?:xox[a-z]-|xapp-\d|xwfp-)[A-Za-z0-9.-]{8,}/g, // Slack: bot, user, app, workflow tokens
  /https:\/\/hooks\.slack(?:-gov)?\.com\/[A-Za-z]+\/[A-Za-z0-9/_-]+/g, // whoever has the URL may post
  /lin_(?:api|oauth|wh)_[A-Za-z0-9]{24,}/g, // Linear
  /whsec_[A-Za-z0-9+/=]{16,}/g, // Standard Webhooks
  /(?:(?<![A-Za-z0-9_])|(?<=\\[bfnrt]))sb_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g, // ours
  /npm_[A-Za-z0-9]{36,}/g,
  /[sr]k_live_[A-Za-z0-9]{20,}/g, // Stripe
  /(?:glpat-|dckr_pat_|HRKU-|(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))AIza)[A-Za-z0-9_-]{20,}/g,
  /(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt]))eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}/g, // JSON Web Tokens
  /([Bb]earer )((?=\S{8})[A-Za-z0-9._~+/-]*\d[A-Za-z0-9._~+/-]*=*)/g,
  /([?&;](?:[\w-]{0,40}(?:token|secret|signature|password|key)|sig)=)([^&\s"'<>\\#)|]+)/gi,
  /(:\/\/[^\s/:@"'<>\\]{0,100}:)([^\s/@"'<>\\]{1,200})(?=@)/g, // a password within a URL
]

const keyId = /(?<![A-Z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Z0-9])/g
const awsSecret = /(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/]{0,39}[g-zG-Z+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])/g
const armour = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const armourEnd = /-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g

/** What any of the above matches, and perhaps more: one look at the many texts that hold nothing. */
const any = new RegExp([...shapes, keyId, armour].map(({ source }) => source).join("|"), "i")

/** Whether a text holds the id of an access key of AWS. */
export function holdsKeyId(text: string): boolean {
  keyId.lastIndex = 0
  return keyId.test(text)
}

/**
 * Where a text holds secrets, by their looks: in order, none overlapping another. Forty letters are one
 * only `besideKeyId`, the id of their key somewhere near; a SHA-1 never is.
 */
export function secretSpans(text: string, besideKeyId: boolean = holdsKeyId(text)): Span[] {
  if (!besideKeyId && !any.test(text)) return []
  const keyIds = matches(text, keyId)
  const keySecrets = besideKeyId ? matches(text, awsSecret) : []
  const shaped = shapes.map((shape) => matches(text, shape))
  return merged([...shaped, keyIds, keySecrets, privateKeys(text)].flat())
}

function matches(text: string, pattern: RegExp): Span[] {
  const spans: Span[] = []
  pattern.lastIndex = 0 // they are ours alone; matchAll would copy the pattern each time
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const start = match.index + (match[2] === undefined ? 0 : (match[1]?.length ?? 0))
    spans.push({ start, end: pattern.lastIndex })
  }
  return spans
}

/** From the first line of a private key to its last, or to the end where that has been cut off. */
function privateKeys(text: string): Span[] {
  const spans: Span[] = []
  for (const { start, end } of matches(text, armour)) {
    if (start < (spans.at(-1)?.end ?? 0)) continue
    armourEnd.lastIndex = end
    spans.push({ start, end: armourEnd.exec(text) === null ? text.length : armourEnd.lastIndex })
  }
  return spans
}

/** Spans in order; those that touch or overlap become one. */
export function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last !== undefined && span.start <= last.end) last.end = Math.max(last.end, span.end)
    else result.push({ ...span })
  }
  return result
}

const secretName =
  /^[^\s"\\]*(?:token|secret|passw(?:or)?d|passphrase|authorization|cookie|response_?url|trigger_?id|(?:api|private|secret|access|signing|encryption)[_-]?key)$/i

/**
 * Whether a field of this name holds a secret, whoever sends it: `token` and whatever ends in it
 * (`access_token`, `X-Auth-Token`), or Slack's `response_url` and `trigger_id`, by which anybody may answer.
 */
export function isSecretName(field: string): boolean {
  return field.length <= 128 && secretName.test(field)
}
