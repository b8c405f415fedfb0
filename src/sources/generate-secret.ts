import { randomBytes } from "node:crypto"
import type { Platform } from "../core/platform.ts"
import { generateWebhookSecret } from "../core/standard-webhooks.ts"

/** A new signing secret of 256 random bits, in the first of the usual forms that the sender takes; null for none. */
export function generateSecret(platform: Platform, sender: string | undefined): string | null {
  const forms = [randomBytes(32).toString("hex"), generateWebhookSecret()]
  return forms.find((value) => (platform.checkSecret?.(value, sender) ?? null) === null) ?? null
}
