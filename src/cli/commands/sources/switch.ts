import { readRef, type SourceAction } from "./action.ts"
import { pathOf } from "./show.ts"

/** `sources enable`: webhooks are taken again. */
export const enable = switchTo(true)

/** `sources disable`: webhooks are refused, in running hubs within a second or so. */
export const disable = switchTo(false)

function switchTo(enabled: boolean): SourceAction {
  return {
    usage: "PLATFORM[/NAME]",
    async run(context, { admin }) {
      const source = await admin.edit(readRef(context), { enabled })
      context.out(
        context.json ? JSON.stringify(source) : `${pathOf(source)} is ${enabled ? "enabled" : "disabled"}`,
      )
      return 0
    },
  }
}
