import { SignalboxError } from "../../../core/errors.ts"
import { textOption } from "../../command.ts"
import { readSecret } from "../../read-secret.ts"
import { readRef, type SourceAction } from "./action.ts"
import { readSettings } from "./read-settings.ts"
import { pathOf } from "./show.ts"

/** `sources set`: gives a source that is there another credential, settings or kind of sender. */
export const set: SourceAction = {
  usage:
    "PLATFORM[/NAME] [--setting KEY=VALUE, null takes it away]… [--sender KIND] [--token-env VARIABLE | --token-stdin]",
  async run(context, { admin }) {
    const { options, json, out } = context
    const ref = readRef(context)
    const settings = options["setting"] === undefined ? undefined : readSettings(options)
    const sender = textOption(options, "sender")
    const credential = await readSecret(context, "token")
    if (settings === undefined && sender === undefined && credential === undefined) {
      throw new SignalboxError(
        "bad_request",
        "say what to set: --token-env VARIABLE, --setting KEY=VALUE or --sender KIND",
      )
    }
    const source = await admin.edit(ref, { settings, sender, credential })
    if (json) out(JSON.stringify(source))
    else {
      const kind = source.sender === null ? "" : `sender ${source.sender}, `
      const token = source.credential === null ? "no token of its own" : "a token of its own"
      out(`${pathOf(source)} has ${kind}${token}, settings ${JSON.stringify(source.settings)}`)
    }
    return 0
  },
}
