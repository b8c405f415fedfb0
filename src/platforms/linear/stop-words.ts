/**
 * What stands before a dash and a number without naming a team. Nobody's keys are known here, so only
 * what is far more often something else is listed: `IOS-12` or `API-7` may well be issues.
 */
const inAnyCase = wordSet(
  // encodings, digests, ciphers, protocols
  "utf ucs ascii latin cp koi big euc gb base sha md crc aes des rsa ecdsa ed dsa hmac tls ssl dtls",
  "http https ftp smtp imap tcp udp ip ipv oauth saml jwt pkcs rs hs es uuid guid",
  // standards, registries of flaws, decision records, licences
  "iso iec ieee rfc ansi ecma din nist fips pep jsr jep bcp eip erc bip caip cve cwe ghsa osv cvss adr rfd",
  "pci soc owasp wcag gpl lgpl agpl bsd mit mpl epl apache eupl cc cc0",
  // models
  "gpt opus sonnet haiku claude gemini gemma llama qwen grok mistral phi palm bert dall flux whisper",
  // languages, runtimes, libraries, systems, machines
  "node deno bun npm pnpm yarn java jdk jre jvm kotlin scala php python py ruby rails perl rust golang swift",
  "dotnet cpp html css sql react vue nuxt svelte angular ember vite webpack babel eslint rollup typedoc",
  "express jest mocha cypress redis mysql mongo mongodb mariadb kafka k8s helm docker log4j",
  "debian ubuntu fedora centos rhel alpine linux windows win macos amd intel x86 x64 esp",
  "uint float bit bits usb ddr wifi",
  // regions
  "east west north south central",
  // what branches, headings and lists are made of
  "patch fix fixes hotfix bugfix feat feature features chore refactor temp tmp poc wip gh pr prs",
  "issue issues ticket tickets release releases version ver revert reverts rc alpha beta gamma",
  "step steps phase part parts stage level tier option section chapter page line column row table figure fig",
  "day days week weeks month year quarter sprint covid sars catch error err status code",
  "jan feb mar apr jun jul aug sep sept oct nov dec fy",
  "foo bar baz qux abc xyz xxx yyy zzz todo fixme tbd",
)

/** Words of the language, and of branches, that in capitals may well be a team's key. */
const inLowerCase = wordSet(
  "bug bugs doc docs test tests testing task tasks story epic item items case job run set batch build spike",
  "rel merge merged bump update upgrade add remove backport sync backup copy draft demo example sample",
  "dependabot renovate deps config next nest net pg postgres arm int cap type layer class group round attempt",
  "try retry pass take pre post stable nightly canary snapshot preview top first last max min up to at on in of",
  "by for from with and or no not a an the vs is per plus zero one two half single multi non wd exit port host",
  "may us eu pull android",
)

/** One letter and a digit (`Z0-9`, `V1-2`, `Q4-24`), or a word with its version (`UTF8-1`, `ES6-1`). */
const versioned = /^(?:[a-z]\d|([a-z]+)\d{1,4})$/

/** Whether `word`, before a dash and a number, is taken for something other than a team's key. */
export function isStopWord(word: string): boolean {
  const lower = word.toLowerCase()
  if (inAnyCase.has(lower) || (word !== word.toUpperCase() && inLowerCase.has(lower))) return true
  const match = versioned.exec(lower)
  return match !== null && (match[1] === undefined || inAnyCase.has(match[1]))
}

function wordSet(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")))
}
