import { repoOfUrl } from "./repo-url.ts"

/** What a package URL (`pkg:type/namespace/name@version?qualifiers`) says of code. */
export interface Package {
  name: string
  repo: { host: string; fullName: string } | null
  /** A commit; a version that is a digest of an image is none. */
  sha: string | null
}

const form = /^pkg:([a-z0-9.+-]+)\/+([^@?#]+)(?:@([^?#]+))?(?:\?([^#]*))?/i
const commit = /^[0-9a-f]{7,64}$/i
const hosts: Readonly<Record<string, string>> = {
  github: "github.com",
  gitlab: "gitlab.com",
  bitbucket: "bitbucket.org",
}

/**
 * Reads a package URL; null where it is none. Types that stand for a host of repositories have the commit
 * for their version; of all others, images above all, the qualifier `vcs_url` may name both.
 */
export function readPurl(text: unknown): Package | null {
  const [, type = "", path, version, qualifiers] =
    (typeof text === "string" && form.exec(text.slice(0, 2048))) || []
  if (path === undefined) return null
  const segments = path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decoded)
  const name = segments.at(-1)
  if (name === undefined) return null
  const host = Object.hasOwn(hosts, type.toLowerCase()) ? hosts[type.toLowerCase()] : undefined
  if (host !== undefined && segments.length > 1) {
    const sha = decoded(version ?? "")
    return { name, repo: { host, fullName: segments.join("/") }, sha: commit.test(sha) ? sha : null }
  }
  const vcs = qualifiers?.split("&").find((one) => one.startsWith("vcs_url="))
  return { name, ...(readVcsUrl(decoded(vcs?.slice("vcs_url=".length) ?? "")) ?? { repo: null, sha: null }) }
}

/** `git+https://github.com/acme/api.git@<commit>`, as SPDX writes it. */
function readVcsUrl(text: string): Pick<Package, "repo" | "sha"> | null {
  const url = text.replace(/^git\+/, "")
  const at = url.lastIndexOf("@")
  const pinned = at > url.lastIndexOf("/") // and no user name
  const repo = repoOfUrl(pinned ? url.slice(0, at) : url)
  const sha = pinned ? url.slice(at + 1) : ""
  return repo && { repo, sha: commit.test(sha) ? sha : null }
}

/** Percent-decoded where it can be, else as it stands. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
