/** What is wrong with an address of a hub, in words that go on from its name; undefined where nothing is. */
export function addressFault(address: string): string | undefined {
  const url = urlOf(address)
  if (url?.protocol === "http:" || url?.protocol === "https:") return undefined
  // `localhost:3000` is a URL of the scheme `localhost:`, and so is not known by its being none.
  const meant = address.includes("://") ? undefined : urlOf(`http://${address}`)
  const words = `must begin with http:// or https://, not be ${JSON.stringify(address)}`
  return meant === undefined ? words : `${words}: http:// is missing, so say http://${address}`
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
