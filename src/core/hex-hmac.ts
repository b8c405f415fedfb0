import { createHmac } from "node:crypto"

/** The lower-case hex HMAC-SHA256 of these parts, one after the other. */
export function hexHmac(secret: string, ...parts: readonly (string | Buffer)[]): string {
  const hmac = createHmac("sha256", secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest("hex")
}
