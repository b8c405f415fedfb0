import { rewrapSecrets, type Rewrapping } from "../../../sources/rewrap.ts"
import type { SourceAction } from "./action.ts"

/** `sources rewrap`: brings every stored secret under the first encryption key. */
export const rewrap: SourceAction = {
  usage: "",
  async run({ json, out, signal }, { database, keyring }) {
    const report = await rewrapSecrets(database.work, keyring, {
      signal,
      onProgress: json ? () => {} : showProgress,
    })
    if (json) out(JSON.stringify({ ...report, interrupted: signal.aborted }))
    else for (const line of linesOf(report, signal.aborted)) out(line)
    return signal.aborted || report.unknown.length > 0 || report.damaged.length > 0 ? 1 : 0
  },
}

function showProgress(done: number, total: number): void {
  if (!process.stderr.isTTY) return
  process.stderr.write(`\r${done} of ${total} secrets${done >= total ? "\n" : ""}`)
}

function* linesOf({ keyId, rewrapped, before, unknown, damaged }: Rewrapping, interrupted: boolean) {
  yield `${rewrapped} secrets were brought under the key ${keyId}; ${before} were under it before`
  if (interrupted) yield "interrupted: call it again, it goes on with the rest"
  for (const { keyId: missing, secrets } of unknown) {
    yield `${secrets} secrets are under the key ${missing}, which is not among those of SIGNALBOX_ENCRYPTION_KEY: add it after the first, or rotate those secrets`
  }
  for (const { sourceId, id } of damaged) {
    yield `secret ${id} of the source or webhook subscription ${sourceId} does not open under the key that it names: rotate it`
  }
  if (!interrupted && unknown.length === 0 && damaged.length === 0) {
    yield "no other key is needed any more"
  }
}
