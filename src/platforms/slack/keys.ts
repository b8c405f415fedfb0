import { entityKey } from "../../core/entity-key.ts"

const idForm = /^[A-Za-z0-9]{1,32}$/
const tsForm = /^\d{1,12}\.\d{1,6}$/

/** An id of Slack's, or null for anything that could not stand in a key. */
export function idOrNull(value: unknown): string | null {
  return typeof value === "string" && idForm.test(value) ? value : null
}

/** A message's timestamp, `seconds.microseconds`, which is its id within the channel; else null. */
export function tsOrNull(value: unknown): string | null {
  return typeof value === "string" && tsForm.test(value) ? value : null
}

/** Stands for whichever team: what is known of a message from its address alone. */
const anyTeam = "*"

/** The message of a team; with the team unknown, the key that permalinks lead to. */
export function messageKey(team: string | null, channel: unknown, ts: unknown): string | null {
  const inChannel = idOrNull(channel)
  const at = tsOrNull(ts)
  return inChannel === null || at === null ? null : entityKey.slackMessage(team ?? anyTeam, inChannel, at)
}

/** The thread that a message began or would begin: the key of that message, with another kind. */
export function threadKey(team: string | null, channel: unknown, ts: unknown): string | null {
  const root = messageKey(team, channel, ts)
  return root === null ? null : entityKey.slackThread(root)
}

/** `slack:channel:T1/C1` and the like. */
export function thingKey(kind: string, team: string | null, id: unknown): string | null {
  const known = idOrNull(id)
  return known === null ? null : `slack:${kind}:${team ?? anyTeam}/${known}`
}
