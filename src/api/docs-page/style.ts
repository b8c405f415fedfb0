import { createHash } from "node:crypto"

/** The page's one style sheet, within it. */
export const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: light-dark(#0550ae, #79b8ff) }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 17rem minmax(0, 1fr) }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); font-size: .85rem }
nav h2 { font-size: .85rem; margin: 1rem 0 .25rem }
nav ul { list-style: none; margin: 0; padding: 0 }
nav a { display: block; padding: .1rem 0; overflow-wrap: anywhere }
main { padding: 1rem 2rem 4rem; max-width: 60rem }
a { color: var(--accent); text-decoration: none }
a:hover { text-decoration: underline }
section { border-top: 1px solid var(--line); padding: 1rem 0 }
h1, h2, h3, h4 { line-height: 1.2 }
h3 { font-size: 1.05rem; margin: 0 0 .25rem }
h4 { font-size: .85rem; margin: 1rem 0 .25rem }
code { font: .85em ui-monospace, monospace; background: var(--soft); padding: .1em .3em; border-radius: 4px; overflow-wrap: anywhere }
.route code { font-size: .95rem }
.method { font: bold .75rem ui-monospace, monospace; text-transform: uppercase; color: var(--accent) }
dl { margin: 0; display: grid; grid-template-columns: minmax(8rem, auto) 1fr; gap: .25rem 1rem }
dt { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere }
dd { margin: 0; font-size: .9rem }
dd dl { margin: .25rem 0; padding-left: .75rem; border-left: 2px solid var(--line) }
.type { opacity: .75 }
.must { font-size: .75rem; font-weight: bold }
@media (max-width: 50rem) { body { display: block } nav { position: static; height: auto; border: 0 } main { padding: 1rem } }
`

/** Its hash, by which a Content-Security-Policy allows it and nothing else. */
export const styleHash = `sha256-${createHash("sha256").update(style).digest("base64")}`
