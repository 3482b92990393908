// Sessions: one document per sign-in, the family of all refresh tokens that follow each other from it. Only the hash of
// the token that is next to be used is stored. Times are the machine's: moving a sandbox's clock signs nobody out.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'

export type SessionDoc = Doc & { user: string; secretHash: string; createdAt: number; usedAt: number }
export const sessionDocs = collection<SessionDoc>('sessions', { byUser: { keys: ['user', 'usedAt'] } })

/** Unused this long, a session is over. */
export const SESSION_IDLE_MS = 30 * 24 * 3_600_000
/** The longest unused one ends when a person opens one more. */
export const SESSIONS_PER_USER_MAX = 100
const SECRET_BYTES = 32
const END_BATCH = 100

export type Opened = { id: string; user: string; refreshToken: string }
export type Sessions = {
  open(user: string): Promise<Opened>
  /** Trades a token for the next one. Null when it is not one of ours, idle too long, or used: then its family ends. */
  rotate(refreshToken: string): Promise<Opened | null>
  /** Ends the family of a token. */
  end(refreshToken: string): Promise<void>
  /** Where a person is signed in, the longest unused first. */
  of(user: string): Promise<SessionDoc[]>
  /** Ends all sessions of a person. */
  endAll(user: string): Promise<void>
  areOpen(asked: readonly { sessionId: string; userId: string }[]): Promise<boolean[]>
}

/** `ended` hears whose session ended, and is waited for: then nobody takes it for open any more. */
export const sessions = (
  documents: Documents,
  newId: () => string,
  ended: (user: string) => Promise<void>,
  now: () => number = Date.now,
): Sessions => {
  const open = async (user: string): Promise<Opened> => {
    const secret = newSecret()
    const doc: SessionDoc = {
      id: newId(),
      version: 1,
      user,
      secretHash: hashOf(secret),
      createdAt: now(),
      usedAt: now(),
    }
    await documents.insert(sessionDocs, doc)
    await dropOldest(user)
    return openedOf(doc, secret)
  }

  const dropOldest = async (user: string): Promise<void> => {
    const query = { index: 'byUser', equals: { user } }
    const tooMany = (await documents.count(sessionDocs, query)) - SESSIONS_PER_USER_MAX
    if (tooMany <= 0) return
    const { docs } = await documents.find(sessionDocs, { ...query, limit: tooMany })
    for (const { id } of docs) await documents.remove(sessionDocs, id)
    await ended(user)
  }

  const rotate = async (refreshToken: string): Promise<Opened | null> => {
    const token = parse(refreshToken)
    const doc = token && (await documents.get(sessionDocs, token.family))
    if (!doc) return null
    const secret = newSecret()
    const next: SessionDoc = { ...doc, version: doc.version + 1, secretHash: hashOf(secret), usedAt: now() }
    const fits = !isIdle(doc, now()) && isSame(hashOf(token.secret), doc.secretHash)
    // Who loses the write holds a token that somebody else has just used: the same as a used one seen again.
    if (fits && (await documents.replace(sessionDocs, next, doc.version)).ok) return openedOf(next, secret)
    await documents.remove(sessionDocs, doc.id)
    await ended(doc.user)
    return null
  }

  return {
    open,
    rotate,
    end: async (refreshToken) => {
      const token = parse(refreshToken)
      const doc = token && (await documents.get(sessionDocs, token.family))
      if (!doc) return
      await documents.remove(sessionDocs, doc.id)
      await ended(doc.user)
    },
    of: async (user) =>
      (await documents.find(sessionDocs, { index: 'byUser', equals: { user }, limit: SESSIONS_PER_USER_MAX })).docs,
    endAll: async (user) => {
      for (;;) {
        const { docs } = await documents.find(sessionDocs, { index: 'byUser', equals: { user }, limit: END_BATCH })
        for (const { id } of docs) await documents.remove(sessionDocs, id)
        if (docs.length === 0) break
      }
      await ended(user)
    },
    areOpen: async (asked) => {
      const docs = await documents.getMany(
        sessionDocs,
        asked.map(({ sessionId }) => sessionId),
      )
      return docs.map((doc, at) => doc !== null && doc.user === asked[at]!.userId && !isIdle(doc, now()))
    },
  }
}

const openedOf = ({ id, user }: SessionDoc, secret: string): Opened => ({ id, user, refreshToken: `${id}.${secret}` })
const newSecret = () => randomBytes(SECRET_BYTES).toString('base64url')
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url')
const isSame = (one: string, other: string) => timingSafeEqual(Buffer.from(one), Buffer.from(other))
const isIdle = ({ usedAt }: SessionDoc, now: number) => now - usedAt > SESSION_IDLE_MS

const TOKEN = /^([a-z]{3}_[a-z0-9]{1,40})\.([A-Za-z0-9_-]{43})$/
const parse = (refreshToken: string): { family: string; secret: string } | null => {
  const [, family, secret] = TOKEN.exec(refreshToken) ?? []
  return family && secret ? { family, secret } : null
}
