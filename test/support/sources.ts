import { afterAll } from "vitest"
import { systemClock } from "../../src/core/clock.ts"
import { silentLog } from "../../src/core/log.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createSources, type SourceDirectory, type SourcesOptions } from "../../src/sources/create-sources.ts"
import { parseEncryptionKeys, type EncryptionKey } from "../../src/sources/encryption-key.ts"
import { createKeyring, type Keyring } from "../../src/sources/keyring.ts"

/** Encryption keys of tests: any number of them, each the same at every call. */
export function testKeys(...numbers: readonly number[]): EncryptionKey[] {
  return numbers.flatMap((number) => parseEncryptionKeys(testKeyText(number)) ?? [])
}

/** The text of such a key, as SIGNALBOX_ENCRYPTION_KEY holds it. */
export function testKeyText(number: number): string {
  return number.toString(16).padStart(64, "0")
}

/** A keyring that seals with the first of these keys. */
export function testKeyring(...numbers: readonly number[]): Keyring {
  return createKeyring({ configured: testKeys(...numbers), dataDir: null })
}

/** Running sources of a process, of all platforms; stopped after the test file, or as `onEnd` says. */
export async function testSources(
  options: Pick<SourcesOptions, "database"> & Partial<SourcesOptions>,
  onEnd: (stop: () => Promise<void>) => void = afterAll,
): Promise<SourceDirectory> {
  const sources = createSources({
    platforms,
    secrets: new Map(),
    keyring: testKeyring(1),
    clock: systemClock,
    log: silentLog,
    ...options,
  })
  onEnd(() => sources.stop())
  await sources.start()
  return sources
}
