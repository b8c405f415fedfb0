/** One made-up secret of every kind that is known by its looks; put together here, so that no scanner takes them for real. */
export const secretsByLooks: Readonly<Record<string, string>> = {
  "a GitHub personal token": `ghp_${"a1B2".repeat(9)}`,
  "a GitHub OAuth token": `gho_${"c3D4".repeat(9)}`,
  "a GitHub app's user token": `ghu_${"e5F6".repeat(9)}`,
  "a GitHub installation token": `ghs_${"g7H8".repeat(9)}`,
  "a GitHub refresh token": `ghr_${"i9J0".repeat(19)}`,
  "a fine-grained GitHub token": `github_pat_${"k1L2".repeat(5)}_${"m3N4".repeat(14)}`,
  "a Slack bot token": `xoxb-${"1234567890-".repeat(2)}${"aBcD".repeat(6)}`,
  "a Slack user token": `xoxp-${"1234567890-".repeat(3)}${"0f".repeat(16)}`,
  "a Slack refresh token": `xoxe-1-${"aBcD1".repeat(8)}`,
  "a Slack app token": `xapp-1-A0123-12345-${"0f".repeat(32)}`,
  "a Slack webhook": `https://hooks.slack.com/services/T0001/B0001/${"xY1z".repeat(6)}`,
  "a Slack response URL": `https://hooks.slack.com/commands/T0001/123/${"xY1z".repeat(6)}`,
  "a Linear key": `lin_api_${"o5P6".repeat(10)}`,
  "a Linear OAuth token": `lin_oauth_${"0f".repeat(32)}`,
  "a Standard Webhooks secret": `whsec_${"MfKQ9r8G".repeat(4)}`,
  "an npm token": `npm_${"q7R8".repeat(9)}`,
  "a Stripe key": `sk_live_${"t1U2".repeat(6)}`,
  "a key of ours": `sb_${"aB3-_".repeat(8)}xyz`,
  "an AWS key id": `AKIA${"Q7R8".repeat(4)}`,
  "a JSON Web Token": `${["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0"].join(".")}.${"s9T0".repeat(10)}`,
  "a bearer header": `Bearer ${"u1V2".repeat(8)}`,
  "a signed URL": `https://files.example.com/a.zip?expires=1&X-Amz-Signature=${"0f".repeat(32)}`,
  "a URL with a token": `https://raw.example.com/a/b/main/c.txt?token=${"w3X4".repeat(6)}`,
  "a database URL": `postgres://app:hunter2-pw@db.example.com:5432/app`,
  "a private key": `-----BEGIN RSA PRIVATE KEY-----\n${"MIIEowIBAAKCAQEA/+x\n".repeat(5)}-----END RSA PRIVATE KEY-----`,
  "a cut private key": `-----BEGIN OPENSSH PRIVATE KEY-----\n${"b3BlbnNzaC1rZXktdjE\n".repeat(5)}`,
}

/** The part of each of those that must be nowhere to be seen. */
export function coreOf(secret: string): string {
  const parts = secret
    .split(/Bearer |=(?=[^=]{12,}$)|(?<=\/\/app:)|@db\.|\n/)
    .filter((part) => part.length >= 10)
  return parts.find((part) => !/^https?:\/\/(?!hooks)|^postgres|example\.com|^-----/.test(part)) ?? secret
}

/** Names of fields whose values are secret whatever they look like. */
export const secretNames: readonly string[] = [
  "token",
  "access_token",
  "accessToken",
  "X-Auth-Token",
  "verification_token",
  "secret",
  "client_secret",
  "webhookSecret",
  "SIGNING_SECRET",
  "password",
  "passwd",
  "passphrase",
  "authorization",
  "Proxy-Authorization",
  "Cookie",
  "set-cookie",
  "api_key",
  "apiKey",
  "X-API-Key",
  "private_key",
  "privateKey",
  "secret_access_key",
  "SecretAccessKey",
  "response_url",
  "trigger_id",
]

/** What only looks a little like a secret, and is none. */
export const harmless: readonly string[] = [
  "6dcb09b5b57875f334f61aebed695e2e4193db5e", // SHA-1
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", // SHA-256
  "019a9b1c-7b5e-7cc0-8f4e-0123456789ab",
  "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=",
  `data:image/png;base64,iVBORw0KGgo${"AAAANSUhEUgAA/+eyJ".repeat(10)}=`,
  "https://api.github.com/repos/acme/api/issues?state=open&page=2",
  "https://github.com:443/acme/api.git",
  "git@github.com:acme/api.git",
  "octocat@example.com",
  "the bearer of this letter, a token of my secret",
  "xox-games and AKIA, ghp_short, lin_api, whsec_, eyJ.eyJ, Bearer of news",
  "sb_short",
  "npm_upgrade-all-dependencies, npm_audit-fix-critical-vulnerabilities",
  "desk_live_chat-widget-for-everybody, lin_api_documentation, xapp-redesign-of-the-header",
  "github_pat_rotation_for_all_of_the_bots",
  "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
  "k1=v1?tokens=many",
]
