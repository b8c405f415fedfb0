const maxChars = 65_536

/**
 * What of a run's answer is kept: the answer itself where it is JSON of 64 K characters at most, else
 * a word on why it is not. Having answered something odd makes no run fail.
 */
export function boundedResult(answer: unknown): { result?: unknown } {
  if (answer === undefined || answer === null) return {}
  try {
    const text = JSON.stringify(answer)
    if (text === undefined) return {}
    if (text.length > maxChars) return omitted(`${text.length} characters of JSON are more than ${maxChars}`)
    return { result: answer }
  } catch {
    return omitted("it is not JSON")
  }
}

function omitted(reason: string): { result: unknown } {
  return { result: { omitted: reason } }
}
