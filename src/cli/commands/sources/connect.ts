import { createInterface } from "node:readline/promises"
import { systemClock } from "../../../core/clock.ts"
import { SignalboxError } from "../../../core/errors.ts"
import { createLog } from "../../../core/log.ts"
import { platformNamed } from "../../../sources/check-source.ts"
import { connectorOf, planConnection, type Connected } from "../../../sources/connect.ts"
import { textOption, type CommandContext } from "../../command.ts"
import { readSecret } from "../../read-secret.ts"
import { readRef, type SourceAction } from "./action.ts"
import { pathOf } from "./show.ts"

/** `sources connect`: sets up the webhooks of a source at its provider; a dry run without `--apply`. */
export const connect: SourceAction = {
  usage:
    "PLATFORM[/NAME] --url https://hub.example [--source NAME] [--tenant T] [the platform's own options] [--token-env VARIABLE | --token-stdin] [--apply]",
  async run(context, { config, database, platforms, keyring, admin }) {
    const { options, json, out, signal } = context
    const ref = readRef(context)
    const connector = await connectorOf(platformNamed(platforms, ref.platform))
    const url = textOption(options, "url")
    if (url === undefined) throw urlMissing(connector.options)
    const own = Object.keys(connector.options).flatMap((name) => {
      const value = textOption(options, name)
      return value === undefined ? [] : [[name, value] as const]
    })
    const connection = await planConnection(
      {
        pool: database.work,
        platforms,
        keyring,
        admin,
        environment: config,
        clock: systemClock,
        log: createLog("silent"),
        signal,
      },
      { ...ref, url, options: Object.fromEntries(own), credential: await readSecret(context, "token") },
    )
    if (!json) {
      for (const { action, what } of connection.steps) out(`${action.padEnd(6)}  ${what}`)
    }
    const isWanted = options["apply"] === true || (!json && (await isConfirmed(context)))
    if (!isWanted) {
      const { webhookUrl, steps } = connection
      out(
        json
          ? JSON.stringify({ webhookUrl, steps, applied: false })
          : "nothing was changed: --apply carries it out",
      )
      return 0
    }
    const connected = await connection.apply()
    if (json) {
      const { webhookUrl, steps } = connection
      out(JSON.stringify({ webhookUrl, steps, applied: true, ...connected }))
    } else for (const line of linesOf(connected, connection.webhookUrl)) out(line)
    return 0
  },
}

function* linesOf({ source, text, advice }: Connected, webhookUrl: string): Generator<string> {
  if (text !== null) yield text
  yield `${pathOf(source)} is set up for ${webhookUrl}`
  if (advice !== null) yield advice
}

/** Asks on a terminal; elsewhere nobody is there to be asked. */
async function isConfirmed({ signal, options }: CommandContext): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY || options["token-stdin"] === true) return false
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question("apply? [y/N] ", { signal })).trim())
  } finally {
    terminal.close()
  }
}

function urlMissing(options: Readonly<Record<string, string>>): SignalboxError {
  const own = Object.entries(options).map(([name, what]) => `--${name} (${what})`)
  return new SignalboxError(
    "bad_request",
    `give the hub's public address: --url https://hub.example${own.length === 0 ? "" : `; further options: ${own.join(", ")}`}`,
  )
}
