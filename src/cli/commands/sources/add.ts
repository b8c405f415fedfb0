import { defaultTenant } from "../../../core/source.ts"
import { textOption } from "../../command.ts"
import { readSecret } from "../../read-secret.ts"
import { readRef, type SourceAction } from "./action.ts"
import { readSettings } from "./read-settings.ts"
import { printIssued } from "./show.ts"

/** `sources add`: makes a source, with a secret given or generated. */
export const add: SourceAction = {
  usage:
    "PLATFORM/NAME [--tenant T] [--sender KIND] [--setting KEY=VALUE]… [--secret-env VARIABLE | --secret-stdin] [--token-env VARIABLE | --token-stdin]",
  async run(context, { admin }) {
    const { tenant, ...ref } = readRef(context)
    const issued = await admin.create({
      ...ref,
      tenant: tenant ?? defaultTenant,
      sender: textOption(context.options, "sender"),
      settings: readSettings(context.options),
      secret: await readSecret(context, "secret"),
      credential: await readSecret(context, "token"),
    })
    printIssued(context, issued)
    return 0
  },
}
