import { textOption, type Command, type OptionValues } from "../command.ts"
import { remoteOptions, remoteUsage, requestHub } from "../remote.ts"
import { readSse } from "../read-sse.ts"
import { eventLine } from "../event-line.ts"

/** `signalbox tail`: prints a stream of a running hub as it happens. */
export const tailCommand: Command = {
  name: "tail",
  summary: "Print events of a stream as they happen",
  usage: `[STREAM] [--after POSITION|earliest] [--filter JSON] ${remoteUsage}`,
  options: { ...remoteOptions, after: { type: "string" }, filter: { type: "string" } },
  async run(context) {
    const { positionals, options, json, out, signal } = context
    const name = encodeURIComponent(positionals[0] ?? "all_events")
    let after = textOption(options, "after")
    while (!signal.aborted) {
      try {
        const response = await requestHub(
          context,
          `/api/v1/streams/${name}/sse?${query(options, after).toString()}`,
        )
        for await (const { id, data } of readSse(response)) {
          after = id ?? after
          if (data !== "") out(json ? data : eventLine(data))
        }
      } catch (error) {
        if (signal.aborted) break
        throw error
      }
    }
    return 0
  },
}

function query(options: OptionValues, after: string | undefined): URLSearchParams {
  const search = new URLSearchParams()
  if (after !== undefined) search.set("after", after)
  const filter = textOption(options, "filter")
  if (filter !== undefined) search.set("filter", filter)
  return search
}
