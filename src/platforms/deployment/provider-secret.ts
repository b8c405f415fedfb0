const minChars = 8

/** Says what is wrong with a secret that a provider made or asked for, in words that show none of it. */
export function providerSecretProblem(secret: string): string | null {
  if (!/^[\x21-\x7e]*$/.test(secret)) return "must be printable ASCII without blanks"
  return secret.length < minChars ? `must have ${minChars} characters or more` : null
}
