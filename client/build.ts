// The client as one file for browsers: its modules one after the other, types blanked by Node itself, comments and
// indentation gone. No bundler: every name at the top of a module is used once over all of them, and the test runs the file.
//   node client/build.ts [file]      writes it (or not) and says how large it is
import { readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { brotliCompressSync, gzipSync } from 'node:zlib'

/** Compressed, with gzip at its best; the promise of docs/client.md. */
export const COMPRESSED_BYTES_MAX = 5 * 1024
/** Whom others use comes first. */
const MODULES = ['failure', 'backoff', 'arrivals', 'outbox', 'link', 'topics', 'follow', 'sends', 'client']
const OFFERS = ['connect', 'ClientError']

export const browserFile = (): string =>
  `${shortConstants(MODULES.map(moduleOf).join('\n'))}\nexport { ${OFFERS.join(', ')} }\n`

/** Names in capitals are constants of a module and nothing else, so they may be called anything. */
const shortConstants = (text: string): string =>
  [...text.matchAll(/^const ([A-Z][A-Z_]+)=/gm)].reduce(
    (before, [, name], at) => before.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), `_${at}`),
    text,
  )

const moduleOf = (name: string): string =>
  outsideStrings(
    stripTypeScriptTypes(readFileSync(new URL(`${name}.ts`, import.meta.url), 'utf8'))
      .replaceAll(/^import [^]*? from '\.\/[^']+'$/gm, '')
      .replaceAll(/^export /gm, '')
      .replaceAll(/\/\*\*[^]*?\*\//g, '')
      .replaceAll(/^\s*\/\/.*$/gm, ''),
    (code) =>
      code
        .replaceAll(/,(?=\s*[}\]])/g, '')
        .replaceAll(/[ \t]+/g, ' ')
        .replaceAll(/ ?([{}()[\],:;=<>?&|!*/]) ?/g, '$1')
        .replaceAll(/ ([+-]) (?![+-])/g, '$1')
        .replaceAll(/(?<!\w)\((\w+)\)=>/g, '$1=>')
        .replaceAll(/\basync\((\w+)\)=>/g, 'async $1=>')
        // Says to readers that nobody waits; whoever runs it does not ask.
        .replaceAll(/\bvoid (?=[\w.]+\()/g, '')
        .replaceAll(/\s*\n\s*/g, '\n')
        .replaceAll(/([{([,?:=&|])\n/g, '$1')
        .replaceAll(/\n([}\]).?:&|])/g, '$1'),
  ).trim()

/** Strings and templates stay as they are; the code between them is made smaller. */
const outsideStrings = (text: string, smaller: (code: string) => string): string =>
  text
    .split(/('[^'\n]*'|`[^`]*`)/)
    .map((part, at) => (at % 2 === 0 ? smaller(part) : part))
    .join('')

export const sizes = (text: string): { plain: number; gzip: number; brotli: number } => ({
  plain: Buffer.byteLength(text),
  gzip: gzipSync(text, { level: 9 }).byteLength,
  brotli: brotliCompressSync(text).byteLength,
})

if (import.meta.main) {
  const text = browserFile()
  const [, , file] = process.argv
  if (file) writeFileSync(file, text)
  const { plain, gzip, brotli } = sizes(text)
  console.log(`${file ?? 'not written'}: ${plain} bytes, gzip ${gzip}, brotli ${brotli}`)
}
