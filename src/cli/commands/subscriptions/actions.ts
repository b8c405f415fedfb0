import { z } from "zod"
import { SignalboxError } from "../../../core/errors.ts"
import { listOption, textOption, type CommandContext } from "../../command.ts"
import { readDecimal, readFilter, readTime } from "../../read-value.ts"
import type { RemoteAction } from "../../remote-actions.ts"
import { formatTable } from "../../table.ts"
import { ask, pathOf, subscription } from "./request.ts"

type Subscription = z.infer<typeof subscription>

const pageSize = 500

/** Every action, by name. */
export const actions: Readonly<Record<string, RemoteAction>> = {
  add: {
    usage:
      "NAME ADDRESS [--stream NAME] [--filter JSON] [--format standard|cloudevents] [--payload all|head|FIELD,…] [--ordered] [--concurrency N] [--rate N] [--timeout-ms N] [--from earliest|POSITION]",
    async run(context) {
      const { positionals, options } = context
      const [, name, url] = positionals
      if (name === undefined || url === undefined) {
        throw new SignalboxError("bad_request", "say subscriptions add NAME ADDRESS")
      }
      const from = textOption(options, "from")
      const made = await ask(context, subscription, "POST", "", {
        name,
        url,
        stream: textOption(options, "stream"),
        filter: readFilter(options),
        format: textOption(options, "format"),
        payload: readPayload(textOption(options, "payload")),
        ordered: options["ordered"] === true ? true : undefined,
        concurrency: readDecimal(options, "concurrency"),
        ratePerSecond: readDecimal(options, "rate"),
        timeoutMs: readDecimal(options, "timeout-ms"),
        from: from === undefined || from === "earliest" ? from : readDecimal(options, "from"),
      })
      return printWithSecret(context, made)
    },
  },

  list: {
    usage: "",
    async run(context) {
      const page = z.looseObject({ subscriptions: z.array(subscription), nextCursor: z.string().nullable() })
      const rows: Record<string, unknown>[] = []
      for (let cursor: string | null = ""; cursor !== null;) {
        const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`
        const { subscriptions, nextCursor } = await ask(context, page, "GET", `?limit=${pageSize}${query}`)
        for (const one of subscriptions) {
          if (context.json) context.out(JSON.stringify(one))
          else rows.push({ ...one, status: statusInWords(one), "last success": one.health.lastSuccessAt })
        }
        cursor = nextCursor
      }
      if (!context.json) context.out(formatTable(["name", "status", "stream", "url", "last success"], rows))
      return 0
    },
  },

  show: { usage: "NAME", run: (context) => shown(context, "GET", "") },
  pause: {
    usage: "NAME [--skip]",
    run: (context) => shown(context, "POST", "/pause", { skip: context.options["skip"] === true }),
  },
  resume: { usage: "NAME", run: (context) => shown(context, "POST", "/resume") },

  "rotate-secret": {
    usage: "NAME [--overlap-hours N]",
    async run(context) {
      const overlapHours = readDecimal(context.options, "overlap-hours")
      const path = `${pathOf(context)}/rotate-secret`
      return printWithSecret(context, await ask(context, subscription, "POST", path, { overlapHours }))
    },
  },

  test: {
    usage: "NAME",
    async run(context) {
      const result = z.looseObject({
        delivered: z.boolean(),
        statusCode: z.number().nullable(),
        durationMs: z.number(),
        error: z.string().nullable(),
      })
      const told = await ask(context, result, "POST", `${pathOf(context)}/test`)
      const { delivered, statusCode, durationMs, error } = told
      const words = delivered ? `delivered: ${statusCode} in ${durationMs} ms` : `failed: ${error}`
      context.out(context.json ? JSON.stringify(told) : words)
      return delivered ? 0 : 1
    },
  },

  remove: {
    usage: "NAME",
    async run(context) {
      await ask(context, z.null(), "DELETE", pathOf(context))
      context.out(context.json ? JSON.stringify({ removed: true }) : "removed, with its deliveries' way back")
      return 0
    },
  },

  deliveries: {
    usage: "NAME [--status delivered|retrying|held|dead|skipped|running] [--limit N]",
    async run(context) {
      const { options, json, out } = context
      const page = z.looseObject({ deliveries: z.array(z.record(z.string(), z.unknown())) })
      const query = new URLSearchParams({ limit: textOption(options, "limit") ?? "50" })
      const [status] = listOption(options, "status")
      if (status !== undefined) query.set("status", status)
      const { deliveries } = await ask(
        context,
        page,
        "GET",
        `${pathOf(context)}/deliveries?${query.toString()}`,
      )
      if (json) for (const delivery of deliveries) out(JSON.stringify(delivery))
      else out(formatTable(["eventId", "type", "status", "attempts", "lastError"], deliveries.map(withWait)))
      return 0
    },
  },

  retry: {
    usage: "NAME (--event ID | --status dead|skipped|retrying… [--since 1d] [--until TIME])",
    async run(context) {
      const { options } = context
      const statuses = listOption(options, "status")
      const now = new Date()
      const answer = await ask(
        context,
        z.looseObject({ retried: z.number() }),
        "POST",
        `${pathOf(context)}/retry`,
        {
          eventId: textOption(options, "event"),
          status: statuses.length === 0 ? undefined : statuses,
          since: readTime(options, "since", now)?.toISOString(),
          until: readTime(options, "until", now)?.toISOString(),
        },
      )
      context.out(context.json ? JSON.stringify(answer) : `${answer.retried} will be tried again`)
      return 0
    },
  },
}

async function shown(
  context: CommandContext,
  method: string,
  action: string,
  body?: object,
): Promise<number> {
  const one = await ask(context, subscription, method, pathOf(context) + action, body)
  context.out(context.json ? JSON.stringify(one) : inWords(one))
  return 0
}

function printWithSecret(context: CommandContext, one: Subscription): number {
  const text = `${inWords(one)}\n${one.secret}\nThis secret is shown once: the receiver verifies signatures with it.`
  context.out(context.json ? JSON.stringify(one) : text)
  return 0
}

function inWords(one: Subscription): string {
  const failing = one.health.failingSince === null ? "" : `\nfailing since ${one.health.failingSince}`
  return `${one.name}  ${statusInWords(one)}  ${one.stream} to ${one.url}  (${one.id})${failing}`
}

function withWait(delivery: Record<string, unknown>): Record<string, unknown> {
  if (delivery["waitsFor"] !== "subscription") return delivery
  return { ...delivery, status: `${String(delivery["status"])}, waits for the subscription` }
}

function statusInWords({ status, skips, disabled }: Subscription): string {
  if (disabled !== null) return `disabled: ${disabled.reason}`
  return skips ? "paused, skipping" : status
}

function readPayload(text: string | undefined): unknown {
  return text === undefined || text === "all" || text === "head" ? text : { pick: text.split(",") }
}
