import { once } from "node:events"
import { createClient, SignalboxClientError, type Client, type StreamOptions } from "../../client/index.ts"
import { SignalboxError } from "../../core/errors.ts"
import { filterFromParameters, listKeys, type Filter } from "../../core/filter.ts"
import { textOption, type Command, type CommandContext, type OptionValues } from "../command.ts"
import { keyOf } from "../entity.ts"
import { hubOf, noHubAt, refusal, remoteOptions, remoteUsage } from "../remote.ts"
import { tailLine, takesColours } from "../tail-line.ts"

const lists =
  "[--types A,B] [--platforms A,B] [--entities ENG-123,KEY] [--actors A,B] [--sources A,B] [--priority A,B]"

/** `signalbox tail`: prints a stream of a running hub as it happens, and goes on by itself when it is cut off. */
export const tailCommand: Command = {
  name: "tail",
  summary: "Print events of a stream as they happen, one line an event",
  usage: `[STREAM] [--after POSITION|earliest] [--no-follow] ${lists} [--filter JSON] ${remoteUsage}`,
  options: {
    ...remoteOptions,
    ...Object.fromEntries(listKeys.map((key) => [key, { type: "string" as const }])),
    after: { type: "string" },
    filter: { type: "string" },
    "no-follow": { type: "boolean" },
  },
  async run(context) {
    const { base, key } = hubOf(context)
    const name = context.positionals[0] ?? "all_events"
    const follows = context.options["no-follow"] !== true
    const after = readAfter(context.options) ?? (follows ? "latest" : "earliest")
    const filter = await readFilter(context)
    const client = createClient({ url: base, key })
    try {
      const wanted = { after, filter }
      const until = follows ? Infinity : await headOf(client, name, wanted, context.signal)
      await print(context, client, name, { wanted, until })
      return 0
    } catch (error) {
      if (!(error instanceof SignalboxClientError)) throw error
      throw error.code === "unreachable" ? noHubAt(base, error) : refusal(error.status, error.message)
    }
  },
}

type Wanted = Pick<StreamOptions, "after" | "filter">

/** Prints events until the position `until` is reached, or the command is interrupted. */
async function print(
  { json, out, signal, env }: CommandContext,
  client: Client,
  name: string,
  { wanted, until }: { wanted: Wanted; until: number },
): Promise<void> {
  if (wanted.after === until) return
  const coloured = takesColours(process.stdout, env)
  const ending = new AbortController()
  const passed = (position: number): void => {
    if (position >= until) ending.abort()
  }
  const { events, failure } = open(client, name, AbortSignal.any([signal, ending.signal]), {
    ...wanted,
    heartbeat: until === Infinity ? 15 : 1, // by which is told how far the filter has come
    onPosition: passed,
    onGap: ({ from, to }) => {
      if (json) out(JSON.stringify({ gap: { from, to } }))
      else say(`positions ${from} to ${to} are past retention`)
      passed(to)
    },
  })
  const closed = (): void => ending.abort() // whoever read it, has gone: head, or a pager
  process.stdout.on("error", closed)
  try {
    for await (const item of events) {
      out(json ? item.json : tailLine(item.event, coloured))
      passed(item.position)
      // No faster than it is read: what waits here would fill the memory.
      if (process.stdout.writableNeedDrain) await once(process.stdout, "drain", { signal }).catch(() => {})
    }
  } finally {
    process.stdout.off("error", closed)
  }
  const error = failure()
  if (error !== undefined) throw error
  if (signal.aborted && events.position !== null) {
    say(`stopped at position ${events.position}; the same with --after ${events.position} goes on from there`)
  }
}

/** The position that the log has come to. */
async function headOf(client: Client, name: string, wanted: Wanted, signal: AbortSignal): Promise<number> {
  const opened = Promise.withResolvers<number>()
  const { events, failure } = open(client, name, signal, {
    ...wanted,
    after: "latest",
    onOpen: ({ position }) => opened.resolve(position),
  })
  const ended = events.next().then(() => {
    const error = failure()
    if (error !== undefined) throw error
    return 0
  })
  try {
    return await Promise.race([opened.promise, ended])
  } finally {
    await events.return()
  }
}

/** A stream that tells on standard error how it is cut off and goes on; where it never opens, it fails. */
function open(client: Client, name: string, outer: AbortSignal, options: StreamOptions) {
  const giveUp = new AbortController()
  let error: SignalboxClientError | undefined
  let wasOpen = false
  let lost = false
  const events = client.stream(name, {
    ...options,
    signal: AbortSignal.any([outer, giveUp.signal]),
    onOpen: (opening) => {
      options.onOpen?.(opening)
      if (lost) say(`connected again, at position ${opening.position}`)
      wasOpen = true
      lost = false
    },
    onRetry: (retry) => {
      if (!wasOpen && retry.error.code === "unreachable") {
        error = retry.error
        giveUp.abort()
        return
      }
      lost = true
      const at = retry.position === null ? "" : `, from position ${retry.position}`
      say(`${retry.error.message}; again in ${(retry.delayMs / 1000).toFixed(1)} s${at}`)
    },
  })
  return { events, failure: () => error }
}

function say(words: string): void {
  process.stderr.write(`signalbox tail: ${words}\n`)
}

function readAfter(options: OptionValues): number | "earliest" | "latest" | undefined {
  const given = textOption(options, "after")
  if (given === undefined || given === "earliest" || given === "latest") return given
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw new SignalboxError("bad_request", "--after takes a position (a whole number), earliest or latest")
}

/** The filter that the options come to; entities go by what people call them. */
async function readFilter(context: CommandContext): Promise<Filter> {
  const { options } = context
  const valuesOf = (key: string) =>
    textOption(options, key)
      ?.split(",")
      .map((value) => value.trim())
      .filter((value) => value !== "")
  const entities = valuesOf("entities")
  const keys = entities && (await Promise.all(entities.map(async (entity) => keyOf(context, entity))))
  return filterFromParameters(textOption(options, "filter"), (key) =>
    key === "entities" ? keys : valuesOf(key),
  )
}
