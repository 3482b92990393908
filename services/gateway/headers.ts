// Headers that answers have in common.
import { randomBytes } from 'node:crypto'
import type { Request, Response } from '../../adapters/listener/index.ts'

export type Header = readonly [string, string]

/** On every answer: no guessing of types, no address of ours told to other sites beyond the origin. */
export const SECURITY: readonly Header[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
]
export const NO_STORE: Header = ['Cache-Control', 'no-store']
/** Bytes that strangers made, or our own JSON: nothing in it runs, nothing frames it. */
export const CSP_SANDBOX: Header = ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox"]
/** Papers: a style of their own, and nothing that runs. */
export const CSP_PAPER: Header = [
  'Content-Security-Policy',
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
]
export const HTML_TYPE: Header = ['Content-Type', 'text/html; charset=utf-8']
/** Pages of ours that bring no policy of their own: nothing from elsewhere, nothing inline. */
export const CSP_PAGE: Header = [
  'Content-Security-Policy',
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
]

/** For shared caches in front of us, which take out by name what a notice names: Surrogate-Key parts by spaces, Cache-Tag by commas. */
export const surrogateKeys = (names: readonly string[]): readonly Header[] => {
  const plain = names.map((name) => encodeURI(name.toWellFormed()).replaceAll(',', '%2C'))
  return plain.length === 0
    ? []
    : [
        ['Surrogate-Key', plain.join(' ')],
        ['Cache-Tag', plain.join(',')],
      ]
}

const SANE_ID = /^[A-Za-z0-9._:-]{1,100}$/

/** The client's own id if it is sane, else one that is unique without asking for chance at every request. */
export const requestIds = (): ((request: Request) => string) => {
  const node = randomBytes(9).toString('base64url')
  let count = 0
  return ({ headers }) => {
    const sent = headers.get('x-request-id')
    return sent !== undefined && SANE_ID.test(sent) ? sent : `${node}.${(count++).toString(36)}`
  }
}

export const jsonResponse = (status: number, headers: readonly Header[], body: string): Response =>
  status === 204
    ? { status, headers, body: '' }
    : { status, headers: [['Content-Type', 'application/json; charset=utf-8'], ...headers], body }
