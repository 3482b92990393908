// Draws the order's table into docs/architecture.md; with --check only says whether the drawing is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { diagram } from '../services/order/process.ts'

const file = fileURLToPath(new URL('../docs/architecture.md', import.meta.url))

export const drawn = (document: string): string =>
  document.replace(/(```mermaid\n)[^]*?(\n```)/, (_, open: string, close: string) => open + diagram() + close)

if (import.meta.main) {
  const document = readFileSync(file, 'utf8')
  if (!process.argv.includes('--check')) writeFileSync(file, drawn(document))
  else if (drawn(document) !== document) {
    console.error("docs/architecture.md is not what the order's table says: run npm run diagram")
    process.exit(1)
  }
}
