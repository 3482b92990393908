// People for a load: accounts with an open session each, stored in bulk as the account service stores them, and access
// tokens signed with the market's own secret. Signing in and every request after it are then the real thing.
import type { Doc, Documents } from '../adapters/documents/index.ts'
import { signAccess } from '../mixins/token.ts'
import { sessionDocs, type SessionDoc } from '../services/account/sessions.ts'
import { newUser, users, type UserDoc } from '../services/account/user.ts'

const BULK = 1000
const BULKS_IN_FLIGHT = 4
const TOKEN_SECONDS = 4 * 3600

const numbered = (prefix: string, at: number): string => `${prefix}_bench${String(at).padStart(8, '0')}`
export const userId = (at: number): string => numbered('usr', at)
const sessionId = (at: number): string => numbered('ses', at)

export const tokenOf = async (secret: string, at: number): Promise<string> =>
  signAccess(secret, { userId: userId(at), sessionId: sessionId(at) }, TOKEN_SECONDS, Date.now())

export const seedPeople = async (documents: Documents, count: number): Promise<void> => {
  await documents.declare([users, sessionDocs] as never)
  await inBulk(
    count,
    (at) => userOf(at),
    (docs: UserDoc[]) => documents.insertMany(users, docs),
  )
  await inBulk(
    count,
    (at) => sessionOf(at),
    (docs: SessionDoc[]) => documents.insertMany(sessionDocs, docs),
  )
}

const userOf = (at: number): UserDoc => {
  const name = `bench${at}`
  const user = { id: userId(at), email: `${name}@bench.test`, username: name, displayName: name, password: '' }
  return { ...newUser({ ...user, createdAt: Date.now() }), version: 1 }
}

const sessionOf = (at: number): SessionDoc => ({
  id: sessionId(at),
  version: 1,
  user: userId(at),
  secretHash: '',
  createdAt: Date.now(),
  usedAt: Date.now(),
})

/** Makes `count` documents and stores them a thousand at a time, a few of these at once. */
export const inBulk = async <T extends Doc>(
  count: number,
  make: (at: number) => T,
  store: (docs: T[]) => Promise<readonly { ok: boolean }[]>,
): Promise<void> => {
  let next = 0
  const worker = async () => {
    while (next < count) {
      const from = next
      next = Math.min(count, from + BULK)
      const outcomes = await store(Array.from({ length: next - from }, (_, at) => make(from + at)))
      const failed = outcomes.filter(({ ok }) => !ok).length
      if (failed > 0) throw new Error(`${failed} documents were there already: seed an empty store`)
    }
  }
  await Promise.all(Array.from({ length: BULKS_IN_FLIGHT }, worker))
}
