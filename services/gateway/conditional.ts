// Conditional answers: a strong ETag is the hash of the bytes, so the same answer has the same tag on every gateway.
import { hash } from 'node:crypto'
import type { ActionContract } from '../../mixins/contract.ts'
import type { Header } from './headers.ts'

export const etagOf = (bytes: string | Uint8Array): string => `"${hash('sha256', bytes, 'base64url').slice(0, 27)}"`

export const publicCaching = ({ maxAgeSeconds, staleSeconds }: NonNullable<ActionContract['publicRead']>): Header => [
  'Cache-Control',
  `public, max-age=${maxAgeSeconds}, stale-while-revalidate=${staleSeconds}`,
]

/** Whether If-None-Match names this answer: one tag, a list, weak ones too (RFC 9110 asks the weak comparison), or '*'. */
export const isUnchanged = (ifNoneMatch: string | undefined, etag: string): boolean => {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch === etag) return true
  return ifNoneMatch.split(',').some((one) => {
    const tag = one.trim()
    return tag === '*' || tag === etag || (tag.startsWith('W/') && tag.slice(2) === etag)
  })
}
