import { systemClock } from "../../../core/clock.ts"
import { SignalboxError } from "../../../core/errors.ts"
import type { Secret, TestDelivery } from "../../../core/platform.ts"
import { platformNamed } from "../../../sources/check-source.ts"
import type { HeldSource } from "../../../sources/held-source.ts"
import { webhookPath } from "../../../sources/show-source.ts"
import { newestSecret, openStored } from "../../../sources/stored-source.ts"
import { textOption, type CommandContext } from "../../command.ts"
import { readDuration } from "../../duration.ts"
import { readRef, type SourceAction, type SourceTools } from "./action.ts"
import { openStream } from "./follow-event.ts"
import { sendDelivery } from "./send-delivery.ts"
import { pathOf } from "./show.ts"

/** `sources test`: sends a signed delivery through the public address, and follows it to the stream. */
export const test: SourceAction = {
  usage:
    "PLATFORM[/NAME] --url https://hub.example [--hub URL, where its streams are] [--key KEY, or SIGNALBOX_API_KEY] [--timeout 30s]",
  async run(context, tools) {
    const { options, env, signal } = context
    const url = textOption(options, "url")
    if (url === undefined || URL.parse(url) === null) {
      throw new SignalboxError("bad_request", "give the hub's public address: --url https://hub.example")
    }
    const timeoutMs = readDuration(textOption(options, "timeout") ?? "30s", "timeout") * 1000
    const { held, delivery, secret } = await sign(context, tools)
    const report = createReport(context)
    const { tenant, platform, name } = held.row
    const hub = textOption(options, "hub") ?? env["SIGNALBOX_URL"] ?? url
    const ended = new AbortController()
    const end = AbortSignal.any([signal, ended.signal, AbortSignal.timeout(timeoutMs)])
    try {
      report.reach("signed", `under secret ${secret.id}`)
      // Before anything is sent, lest it be through sooner; that there is none is told where it is missed.
      const opening = openStream(context, { hub, tenant, platform, source: name, end })
      await opening.catch(() => {})
      const address = url.replace(/\/+$/, "") + webhookPath(platform, name)
      const { status, eventId } = await sendDelivery(address, delivery, end)
      report.reach("acknowledged", `${status}, event ${eventId}`, { status, eventId })
      const position = await (await opening).find(eventId)
      report.reach("processed", `position ${position}`, { position })
      return 0
    } catch (error) {
      if (signal.aborted || !(error instanceof SignalboxError)) throw error
      report.fail(error.message)
      return 1
    } finally {
      ended.abort()
    }
  },
}

async function sign(
  context: CommandContext,
  { config, database, platforms, keyring }: SourceTools,
): Promise<{ held: HeldSource; delivery: TestDelivery; secret: Secret }> {
  const ref = readRef(context)
  const path = pathOf(ref)
  const platform = platformNamed(platforms, ref.platform)
  const held = await openStored(database.work, keyring, systemClock, ref)
  if (held === undefined) {
    throw new SignalboxError("not_found", `there is no source ${path}: sources list shows those there are`)
  }
  if (!held.row.enabled) {
    throw new SignalboxError("source_off", `${path} is disabled: signalbox sources enable ${path}`)
  }
  const secret = newestSecret(held, config)
  if (secret === null) {
    const [shut] = held.shut
    throw new SignalboxError(
      "configuration",
      shut === undefined
        ? `${path} has no secret that is known here: sources rotate ${path} gives it one${platform.secretVariable === null ? "" : `, or set ${platform.secretVariable} as the hub has it`}`
        : `the secret of ${path} ${shut.why}`,
    )
  }
  const delivery = platform.testDelivery?.(secret, new Date(), held.row.sender ?? undefined)
  if (delivery === undefined || delivery === null) {
    throw new SignalboxError(
      "bad_request",
      `a test delivery to ${path} cannot be made: its sender alone can sign`,
    )
  }
  return { held, delivery, secret }
}

type Station = "signed" | "acknowledged" | "processed"
const stations: readonly Station[] = ["signed", "acknowledged", "processed"]

/** Prints each station with the milliseconds since the beginning. */
function createReport({ json, out }: CommandContext) {
  const startedAt = performance.now()
  let reached = 0
  return {
    reach(station: Station, words: string, fields: object = {}) {
      const ms = Math.round(performance.now() - startedAt)
      reached = stations.indexOf(station) + 1
      out(
        json
          ? JSON.stringify({ station, ok: true, ms, ...fields })
          : `${station.padEnd(12)}  ${ms} ms  ${words}`,
      )
    },
    fail(advice: string) {
      const station = stations[reached]
      out(json ? JSON.stringify({ station, ok: false, advice }) : `not ${station}: ${advice}`)
    },
  }
}
