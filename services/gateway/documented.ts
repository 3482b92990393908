// The generated documents as they are served: made at first use, kept with their tag, and once more compressed.
import { gzipSync } from 'node:zlib'
import type { Response } from '../../adapters/listener/index.ts'
import { etagOf, isUnchanged } from './conditional.ts'
import type { Header } from './headers.ts'
import type { Exchange } from './http.ts'

export type Generated = { path: string; type: string; headers?: readonly Header[]; text: () => string }
export type Documented = { find(path: string): ((exchange: Exchange) => Response) | undefined }

const CACHING: Header = ['Cache-Control', 'public, max-age=300, stale-while-revalidate=3600']

export const documented = (documents: readonly Generated[]): Documented => {
  const answers = new Map(documents.map((one) => [one.path, answerOf(one)]))
  return { find: (path) => answers.get(path) }
}

type Form = { body: Uint8Array; etag: string; encoding: readonly Header[] }

const answerOf = ({ type, headers = [], text }: Generated) => {
  let forms: { plain: Form; gzip: Form } | undefined
  return ({ request, headers: own }: Exchange): Response => {
    forms ??= formsOf(text())
    const { body, etag, encoding } = acceptsGzip(request.headers.get('accept-encoding')) ? forms.gzip : forms.plain
    const all: Header[] = [
      ['Content-Type', type],
      CACHING,
      ['ETag', etag],
      ['Vary', 'Accept-Encoding'],
      ...encoding,
      ...headers,
      ...own,
    ]
    return isUnchanged(request.headers.get('if-none-match'), etag)
      ? { status: 304, headers: all, body: '' }
      : { status: 200, headers: all, body }
  }
}

/** A strong tag per form: they are different bytes. */
const formsOf = (text: string): { plain: Form; gzip: Form } => {
  const plain = Buffer.from(text)
  const gzip = gzipSync(plain, { level: 9 })
  return {
    plain: { body: plain, etag: etagOf(plain), encoding: [] },
    gzip: { body: gzip, etag: etagOf(gzip), encoding: [['Content-Encoding', 'gzip']] },
  }
}

const acceptsGzip = (accepted = ''): boolean => /(^|[,\s])gzip(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted)
