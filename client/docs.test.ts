// What docs/client.md shows is a program, and it prints what is written there. The example, too.
import test from 'ava'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startEverything, type Everything } from '../test/everything.ts'

const run = promisify(execFile)
const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const document = readFileSync(pathOf('../docs/client.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text]) => text!)

let market: Everything
test.before(async () => {
  market = await startEverything()
})
test.after.always(() => market?.stop())

test.serial('the program of the document prints what the document says', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gigwire-client-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'document.mts')
  const program = blocks('ts')
    .join('\n')
    .replace("'gigwire-client'", `'${new URL('index.ts', import.meta.url).href}'`)
    .replace("'http://127.0.0.1:3000'", `'${market.url}'`)
  t.true(program.includes(market.url))
  await writeFile(file, program)
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file])
  t.is(stdout, blocks('text').join(''))
})

test.serial('two people chat in the example, one leaves, and misses nothing', async (t) => {
  const { stdout } = await run(process.execPath, [pathOf('example.ts'), market.url])
  const said = ['About two.', 'With a harbour.', 'And a lighthouse!']
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' ').replace(/#\d+ /, ''))
  for (const text of said) t.true(lines.includes(`Sana missed ${text}`), text)
  t.true(lines.includes('Bela sees Sana is typing'))
  t.true(lines.includes('Bela sees With pleasure. How large is it, in km? (edited)'))
  t.true(lines.some((line) => line.startsWith('Sana says I am back., and is at ')))
})
