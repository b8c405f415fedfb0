import type { Sender } from "../sender.ts"
import { argocd } from "./argocd.ts"
import { cloudevents } from "./cloudevents.ts"
import { generic } from "./generic.ts"
import { heroku } from "./heroku.ts"
import { netlify } from "./netlify.ts"
import { railway } from "./railway.ts"
import { render } from "./render.ts"
import { signed } from "./signed.ts"
import { vercel } from "./vercel.ts"

/** Every tool that a source may be configured as; a new one is a file, a line here, and its fixtures. */
export const senders: readonly Sender[] = [
  vercel,
  netlify,
  render,
  heroku,
  railway,
  argocd,
  cloudevents,
  generic,
]

const byName: ReadonlyMap<string, Sender> = new Map(senders.map((sender) => [sender.name, sender]))

/** The sender of that name; our own form, signed, where no name is given; undefined where nobody has it. */
export function senderOf(name: string | undefined): Sender | undefined {
  return name === undefined ? signed : byName.get(name)
}
