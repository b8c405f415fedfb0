import { type Fields, fieldsOf, isFields, listOf } from "../../core/fields.ts"
import type { TextField } from "../../core/platform.ts"
import { proseOrNull } from "../../core/text.ts"
import { webUrlOrNull } from "../../core/web-url.ts"

const maxLinks = 100
const maxNodes = 2_000

/**
 * What a message says: its text in Slack's own writing (links and escapes are read by the correlation),
 * then the text and the links of blocks and attachments that the text does not repeat. The text of an
 * unfurled page is left out: it is the page's, and what it mentions the message does not. The addresses of
 * such previews are a field of their own, `unfurl`, as they come and go without the message being edited.
 */
export function messageTexts(message: Fields): TextField[] {
  const texts = new Map<string, TextField>()
  const said = proseOrNull(message["text"]) ?? ""
  const addText = (value: unknown): void => {
    const text = proseOrNull(value)
    if (text === null || texts.size >= maxLinks || (texts.size > 0 && said.includes(text))) return
    texts.set(text, { field: "text", format: "slack", text })
  }
  const addLinkOf =
    (field: string) =>
    (value: unknown): void => {
      const url = webUrlOrNull(value)
      if (url === null || texts.has(url) || texts.size >= maxLinks) return
      if (said.includes(escapeText(url)) || said.includes(url)) return
      texts.set(url, { field, format: "url", text: url })
    }
  const addLink = addLinkOf("link")
  const addPreview = addLinkOf("unfurl")
  addText(said)
  readBlocks(message["blocks"], addText, addLink)
  for (const attachment of listOf(message["attachments"]).slice(0, maxLinks).filter(isFields)) {
    if (isUnfurled(attachment)) readAddresses(attachment, addPreview)
    else readAttachment(attachment, addText, addLink)
  }
  return [...texts.values()]
}

/** The addresses that a `link_shared` event lists: those of the app's own domains, and no others. */
export function sharedLinks(links: unknown): TextField[] {
  return listOf(links)
    .slice(0, maxLinks)
    .flatMap((link) => {
      const url = webUrlOrNull(fieldsOf(link)["url"])
      return url === null ? [] : [{ field: "shared", format: "url", text: url } as const]
    })
}

type Add = (value: unknown) => void

/** Whether Slack or an app made it of an address in the message: it is not what the author said. */
function isUnfurled(attachment: Fields): boolean {
  return (
    typeof attachment["from_url"] === "string" ||
    typeof attachment["service_name"] === "string" ||
    attachment["is_msg_unfurl"] === true ||
    attachment["is_app_unfurl"] === true
  )
}

function readAddresses(attachment: Fields, addLink: Add): void {
  for (const name of ["from_url", "original_url", "title_link", "app_unfurl_url"]) addLink(attachment[name])
}

function readAttachment(attachment: Fields, addText: Add, addLink: Add): void {
  readAddresses(attachment, addLink)
  for (const name of ["pretext", "title", "text"]) addText(attachment[name])
  for (const field of listOf(attachment["fields"]).slice(0, maxLinks)) addText(fieldsOf(field)["value"])
  readBlocks(attachment["blocks"], addText, addLink)
}

/** Walks blocks without recursion, so that no depth overflows the stack. */
function readBlocks(blocks: unknown, addText: Add, addLink: Add): void {
  const waiting: unknown[] = [blocks]
  for (let seen = 0; waiting.length > 0 && seen < maxNodes; seen++) {
    const node = waiting.pop()
    if (Array.isArray(node)) {
      for (let index = Math.min(node.length, maxNodes) - 1; index >= 0; index--) waiting.push(node[index])
    } else if (isFields(node)) {
      if (node["type"] === "link" || node["type"] === "button") addLink(node["url"])
      if (node["type"] === "mrkdwn" || (node["type"] === "markdown" && typeof node["text"] === "string")) {
        addText(node["text"])
      }
      waiting.push(node["accessory"], node["fields"], node["elements"], node["text"])
    }
  }
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}
