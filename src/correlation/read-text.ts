import type { Mention, Platform, TextField } from "../core/platform.ts"
import { isClosedAt, isListGap } from "./closing-word.ts"
import { hideQuoted } from "./hide-quoted.ts"
import { findUrls, type UrlSpan } from "./find-urls.ts"

/** How much of one field is read, in UTF-16 units; GitHub's longest body is as long. */
export const maxTextLength = 65_536

/**
 * Replaces what PostgreSQL refuses, unit for unit, so that offsets into the result are offsets into
 * the field, and cuts what is too long to be read.
 */
export function readableText(text: string, maxLength = maxTextLength): string {
  const cut = text.length > maxLength ? text.slice(0, maxLength) : text
  return cut.toWellFormed().replaceAll("\0", "\uFFFD")
}

/**
 * Every mention in a text, by URL and by short name, in order of appearance. The text must have gone
 * through `readableText`; `text.slice(start, end)` of each mention is its `text`.
 */
export function readText(
  platforms: readonly Platform[],
  field: TextField,
  subject: string | null,
): Mention[] {
  if (field.format === "url") return mentionOfAddress(platforms, field.text)
  const urls = field.format === "branch" ? [] : findUrls(hideQuoted(field.text, field.format), field.format)
  const mentions = mentionsByUrl(platforms, field.text, urls)
  const masked = { ...field, text: mask(field.text, urls) }
  for (const platform of platforms) {
    for (const mention of platform.mentionsIn?.(masked, subject) ?? []) {
      if (field.text.slice(mention.start, mention.end) === mention.text && mention.text !== "")
        mentions.push(mention)
    }
  }
  return mentions.toSorted((one, other) => one.start - other.start || one.end - other.end)
}

/** A field that is an address and nothing else: a link attached to the event's entity. */
function mentionOfAddress(platforms: readonly Platform[], text: string): Mention[] {
  const written = text.trim()
  const entity = resolve(platforms, written)
  if (entity === null) return []
  const start = text.indexOf(written)
  return [{ entity, relation: "attached", text: written, start, end: start + written.length }]
}

function mentionsByUrl(platforms: readonly Platform[], text: string, urls: readonly UrlSpan[]): Mention[] {
  const mentions: Mention[] = []
  let closedUntil = -1
  for (const url of urls) {
    const closes =
      isClosedAt(text, url.outerStart) || (closedUntil >= 0 && isListGap(text, closedUntil, url.outerStart))
    closedUntil = closes ? url.outerEnd : -1
    const entity = resolve(platforms, url.href)
    if (entity === null) continue
    const { start, end } = url
    mentions.push({
      entity,
      relation: closes ? "closes" : "mentions",
      text: text.slice(start, end),
      start,
      end,
    })
  }
  return mentions
}

function resolve(platforms: readonly Platform[], href: string): string | null {
  const url = URL.parse(href)
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return null
  for (const platform of platforms) {
    const entity = platform.entityFromUrl?.(url)
    if (entity !== undefined && entity !== null) return entity
  }
  return null
}

// Neither a letter, nor a space, nor punctuation: nothing within a URL passes for a short name
// (Jira's keys in Jira's addresses), and nothing beside one is joined across it.
const maskUnit = "\uFFFC"

function mask(text: string, urls: readonly UrlSpan[]): string {
  let masked = ""
  let at = 0
  for (const { start, end } of urls) {
    masked += text.slice(at, start) + maskUnit.repeat(end - start)
    at = end
  }
  return masked + text.slice(at)
}
