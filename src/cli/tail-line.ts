import { styleText } from "node:util"
import type { ClientEvent } from "../client/index.ts"
import { oneLine } from "./one-line.ts"

type Style = Parameters<typeof styleText>[0]

const platformStyles: Readonly<Record<string, Style>> = {
  github: "magenta",
  linear: "blue",
  slack: "yellow",
  deployment: "green",
}
const urgentStyles: Readonly<Record<string, Style>> = { critical: ["bold", "red"], high: "bold" }

/** Whether a stream takes colours: a terminal does, where NO_COLOR does not ask for none (no-color.org). */
export function takesColours(
  stream: { isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (env["NO_COLOR"] ?? "") === ""
}

/** An event as one line for people: time, platform, type, title, actor, entity. */
export function tailLine(event: ClientEvent, coloured: boolean): string {
  const { platform, type, title, actor, entity, priority } = event
  const paint = (style: Style | undefined, text: string): string =>
    coloured && style !== undefined && text !== "" ? styleText(style, text, { validateStream: false }) : text
  const time = `${(event.occurredAt ?? event.receivedAt).slice(0, 19)}Z`
  const parts = [
    paint("dim", time),
    paint(platformStyles[platform], platform.padEnd(10)),
    paint(urgentStyles[priority], oneLine(type).padEnd(38)),
    oneLine(title ?? "", 80),
    actor === null ? "" : paint("dim", `by ${oneLine(actor.name, 40)}`),
    entity === null ? "" : paint("cyan", oneLine(entity)),
  ]
  return parts
    .filter((part) => part !== "")
    .join("  ")
    .trimEnd()
}
