import type { KnownNames, Mention, Platform, TextField } from "../core/platform.ts"
import { isClosedAt, isListGap, isSkippedAt } from "./closing-word.ts"
import { findUrls, type UrlSpan } from "./find-urls.ts"
import { redirectTarget } from "./redirect-target.ts"
import { splitQuoted } from "./split-quoted.ts"

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
 * Every mention in a text, by URL and by short name, in order of appearance; what is named in quoted
 * lines alone has the relation `quotes`. The text must have gone through `readableText`;
 * `text.slice(start, end)` of each mention is its `text`.
 */
export function readText(
  platforms: readonly Platform[],
  field: TextField,
  subject: string | null,
  known: KnownNames = {},
): Mention[] {
  if (field.format === "url") return mentionOfAddress(platforms, field.text)
  const { said, quoted } = splitQuoted(field.text, field.format)
  const mentions = readSpoken(platforms, { ...field, text: said }, subject, known)
  if (quoted !== null) {
    const own = new Set(mentions.map(({ entity }) => entity))
    for (const mention of readSpoken(platforms, { ...field, text: quoted }, subject, known)) {
      if (!own.has(mention.entity)) mentions.push({ ...mention, relation: "quotes" })
    }
  }
  return mentions.toSorted((one, other) => one.start - other.start || one.end - other.end)
}

function readSpoken(
  platforms: readonly Platform[],
  field: TextField,
  subject: string | null,
  known: KnownNames,
): Mention[] {
  const urls = field.format === "branch" ? [] : findUrls(field.text, field.format)
  const mentions = mentionsByUrl(platforms, field.text, urls)
  const masked = { ...field, text: withPlainHyphens(mask(field.text, urls)) }
  const plain = withPlainHyphens(field.text)
  for (const platform of platforms) {
    for (const mention of platform.mentionsIn?.(masked, subject, known) ?? []) {
      const { start, end, text } = mention
      if (plain.slice(start, end) === text && text !== "")
        mentions.push({ ...mention, text: field.text.slice(start, end) })
    }
  }
  return mentions
}

/** Text with `-` for the hyphens that editors put in its place, as one that breaks no line: unit for unit. */
function withPlainHyphens(text: string): string {
  return text.replaceAll(/[\u2010\u2011]/g, "-")
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
  const skipped = new Set<string>()
  let closedUntil = -1
  for (const url of urls) {
    const closes =
      isClosedAt(text, url.outerStart) || (closedUntil >= 0 && isListGap(text, closedUntil, url.outerStart))
    closedUntil = closes ? url.outerEnd : -1
    const entity = resolve(platforms, url.href)
    if (entity === null) continue
    if (isSkippedAt(text, url.outerStart)) skipped.add(entity)
    const { start, end } = url
    mentions.push({
      entity,
      relation: closes ? "closes" : "mentions",
      text: text.slice(start, end),
      start,
      end,
    })
  }
  return skipped.size === 0 ? mentions : mentions.filter(({ entity }) => !skipped.has(entity))
}

function resolve(platforms: readonly Platform[], href: string): string | null {
  const url = webAddress(href)
  if (url === null) return null
  const target = webAddress(redirectTarget(url)) ?? url
  for (const platform of platforms) {
    const entity = platform.entityFromUrl?.(target)
    if (entity !== undefined && entity !== null) return entity
  }
  return null
}

function webAddress(href: string | null): URL | null {
  const url = href === null ? null : URL.parse(href)
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") ? url : null
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
