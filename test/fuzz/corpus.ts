import { platforms } from "../../src/platforms/index.ts"
import type { Platform } from "../../src/core/platform.ts"
import { loadFixtures, loadSigner, type Signer } from "../support/fixtures.ts"
import { octokitExamples } from "../support/octokit-examples.ts"

/** A source that is fuzzed, and how its sender signs. */
export interface Target {
  platform: Platform
  sender?: string
  /** Name of the source. */
  source: string
  signer: Signer
  samples: readonly Sample[]
}

/** A delivery as its sender makes it, unsigned. */
export interface Sample {
  headers: Readonly<Record<string, string>>
  body: Buffer
}

/** A source for each platform and each of its kinds of sender that signs, with all of its fixtures. */
export async function fuzzTargets(): Promise<Target[]> {
  const targets: Target[] = []
  for (const platform of platforms) {
    for (const sender of [undefined, ...(platform.senders ?? [])]) {
      const signer = await loadSigner(platform.name, sender)
      if (signer === null) continue
      const fixtures = loadFixtures(platform.name, sender).map(({ request: { headers, body } }) => ({
        headers,
        body,
      }))
      const samples = platform.name === "github" ? [...fixtures, ...examples()] : fixtures
      const source = sender ?? "fuzzed"
      targets.push({ platform, source, signer, samples, ...(sender === undefined ? {} : { sender }) })
    }
  }
  return targets
}

function examples(): Sample[] {
  return octokitExamples().map(({ event, body }) => ({
    headers: { "content-type": "application/json", "x-github-event": event, "x-github-delivery": "fuzz" },
    body,
  }))
}

/** The sources as a hub is given them. */
export function sourcesOf(targets: readonly Target[]) {
  return targets.map(({ platform, sender, source, signer }) => ({
    platform: platform.name,
    name: source,
    secrets: [signer.secrets[0]],
    ...(sender === undefined ? {} : { sender }),
  }))
}
