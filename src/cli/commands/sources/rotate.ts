import { textOption } from "../../command.ts"
import { readDuration } from "../../duration.ts"
import { readSecret } from "../../read-secret.ts"
import { readRef, type SourceAction } from "./action.ts"
import { printIssued } from "./show.ts"

/** `sources rotate`: adds a secret; those before it end after the overlap. */
export const rotate: SourceAction = {
  usage: "PLATFORM[/NAME] [--overlap 24h] [--secret-env VARIABLE | --secret-stdin]",
  async run(context, { admin }) {
    const overlap = textOption(context.options, "overlap") ?? "24h"
    const issued = await admin.rotate(readRef(context), {
      secret: await readSecret(context, "secret"),
      overlapSeconds: readDuration(overlap, "overlap"),
    })
    printIssued(context, issued)
    if (!context.json) {
      for (const { id, expiresAt } of issued.source.secrets) {
        if (expiresAt !== null) context.out(`secret ${id} ends at ${expiresAt.toISOString()}`)
      }
    }
    return 0
  },
}
