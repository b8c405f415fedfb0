/** Whether PostgreSQL can hold a text: it knows neither NUL nor a surrogate without its other half. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0")
}
