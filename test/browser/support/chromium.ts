import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { chromium, type Browser } from "playwright-core"

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
const usual = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/opt/google/chrome/chrome",
  "/snap/bin/chromium",
]

/** Why there is no browser to test in; printed where the tests are skipped. */
export const noChromium =
  "no Chromium found: install one (apt-get install chromium) or name it in CHROMIUM_PATH"

/** Where a Chromium is, by `CHROMIUM_PATH`, on the PATH or at its usual places; undefined where there is none. */
export function findChromium(): string | undefined {
  const given = process.env["CHROMIUM_PATH"]
  if (given !== undefined && given !== "") return given // a wrong one shall fail
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  return [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...usual].find(isProgram)
}

/** Starts it without a window. */
export async function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: 60_000 })
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
