import type { Issued, SourceView } from "../../../core/source-admin.ts"
import type { CommandContext } from "../../command.ts"

/** Prints what became of a source's secrets; a generated one is shown here and nowhere else. */
export function printIssued({ json, out }: CommandContext, { source, secret, advice }: Issued): void {
  if (json) {
    out(
      JSON.stringify({
        ...source,
        ...(secret === null ? {} : { secret }),
        ...(advice === null ? {} : { advice }),
      }),
    )
    return
  }
  out(`${pathOf(source)} ${source.enabled ? "takes webhooks at" : "is disabled:"} ${source.path}`)
  if (secret !== null) out(`its secret, shown this once: ${secret}`)
  if (advice !== null) out(advice)
}

/** `github/acme`. */
export function pathOf({ platform, name }: { platform: string; name: string }): string {
  return `${platform}/${name}`
}

/** The newest time at which any of a source's secrets verified a request. */
export function lastMatched({ secrets }: SourceView): Date | null {
  const times = secrets.flatMap(({ matchedAt }) => matchedAt?.getTime() ?? [])
  return times.length === 0 ? null : new Date(Math.max(...times))
}
