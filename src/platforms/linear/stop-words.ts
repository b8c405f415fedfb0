/**
 * What stands before a dash and a number without naming a team. Nobody's keys are known here, so only
 * what is far more often something else is listed: `IOS-12` or `API-7` may well be issues.
 * These, in any case.
 */
export const reservedWords = wordSet(
  // encodings, protocols
  "utf ucs ascii latin cp koi big euc gb http https ftp smtp imap tcp udp ip ipv tls ssl dtls",
  "oauth saml jwt pkcs uuid guid",
  // standards, registries of flaws, decision records, licences, terminologies
  "iso iec ieee rfc ansi ecma din nist fips pep jsr jep bcp eip erc bip caip cve cwe ghsa osv cvss adr rfd",
  "pci soc owasp wcag gpl lgpl agpl bsd mit mpl epl apache eupl cc cc0 icd",
  // models
  "gpt opus sonnet haiku claude gemini gemma llama qwen grok mistral phi palm bert dall flux whisper",
  // languages, runtimes, libraries, systems, machines
  "node deno bun npm pnpm yarn java jdk jre jvm kotlin scala php python py ruby rails perl rust golang swift",
  "dotnet cpp html css sql react vue nuxt nextjs svelte angular ember vite webpack babel eslint rollup typedoc",
  "express jest mocha cypress storybook redis mysql mongo mongodb mariadb kafka k8s helm docker log4j otp",
  "debian ubuntu fedora centos rhel alpine linux windows win macos amd intel x86 x64 esp rtx gtx",
  "uint float bit bits usb ddr wifi",
  // regions
  "east west north south central",
  // what branches, headings and lists are made of
  "patch fix fixes hotfix bugfix feat feature features chore refactor temp tmp poc wip gh pr prs",
  "issue issues ticket tickets release releases version ver revert reverts rc alpha beta gamma",
  "step steps phase part parts stage level tier option section chapter page line column row table figure fig",
  "round finding findings attempt attempts ac nfr req uc tc",
  "day days week weeks month year quarter sprint covid sars catch error err status code",
  "jan feb mar apr jun jul aug sep sept oct nov dec fy january april june july august october",
  "foo bar baz qux abc xyz xxx yyy zzz todo fixme tbd",
  // what code subtracts from
  "max min limit len length size count offset index idx num",
)

/** Words of the language, of branches and of style sheets, that in capitals may well be a team's key. */
const inLowerCase = wordSet(
  "bug bugs test tests testing task tasks story epic item items case job run set batch build spike",
  "rel merge merged bump update upgrade add remove backport sync backup copy draft demo example sample",
  "dependabot renovate deps nest postgres type layer class http text",
  "try retry pass take pre post stable nightly canary snapshot preview top first last up to at on in of",
  "by for from with and or no not a an the vs is per plus zero one two half single multi non wd exit port host",
  "px py mx my mt mb ml mr pt pb pl gap gray grey slate zinc red blue green border col cols flex grid left right",
)

/** Such words as are teams' keys too: with a serial number they may be one, with any other they are not. */
const inLowerCaseUnlessSerial = wordSet(
  "doc docs user users role roles config next net pg arm int cap group expo plan android us eu may march pull",
)

/** Algorithms and formats that are called by a size or a generation; with any other number they may be keys. */
const sized = wordSet("sha md crc aes des rsa ecdsa ed dsa hmac rs hs ps es base")
const generation = /^(?:sha|md|es)-[1-6]$/
const size = /^(?:8|16|32|48|56|58|62|64|85|91|128|160|192|224|256|384|448|512|1024|2048|3072|4096|25519)$/

/** One letter and a digit (`Z0-9`, `V1-2`, `Q4-24`), or a word with its version (`UTF8-1`, `ES6-1`). */
const versioned = /^(?:[a-z]\d|([a-z]+)\d{1,4})$/

/** Whether `word`, before a dash and `number`, is taken for something other than a team's key. */
export function isStopWord(word: string, number: string): boolean {
  const lower = word.toLowerCase()
  if (reservedWords.has(lower)) return true
  if (word !== word.toUpperCase()) {
    if (inLowerCase.has(lower)) return true
    if (inLowerCaseUnlessSerial.has(lower)) return !isSerial(number)
  }
  if (sized.has(lower)) return size.test(number) || generation.test(`${lower}-${number}`)
  const match = versioned.exec(lower)
  if (match === null) return false
  return match[1] === undefined || reservedWords.has(match[1]) || sized.has(match[1])
}

/** Numbers with a meaning of their own: HTTP's statuses, years, powers of two, ports, round hundreds. */
const telling =
  /^(?:[1-9]\d*00|20[0-6]|30[1-8]|4[0-3]\d|50\d|51[01]|(?:19|20)\d\d|128|256|512|1024|2048|4096|360|365|8080|8443|3306|5432|6379|9090|27017)$/

/** Whether a number is as good as sure to be counted by somebody: of three digits or more, and no telling one. */
export function isSerial(number: string): boolean {
  return number.length >= 3 && !telling.test(number)
}

function wordSet(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")))
}
