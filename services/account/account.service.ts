// Accounts: who people are, how they prove it, what they may. The actor is a user, its key the user's id. Nothing here is
// cached, and a gateway that remembers a caller is made to forget before a change is answered (leases.ts), so that a
// changed role is true at the next request.
import { service, type Ctx, type Here } from '../../mixins/service.ts'
import { signAccess } from '../../mixins/token.ts'
import type { Actor } from '../../mixins/actor.ts'
import type { Documents } from '../../adapters/documents/index.ts'
import type { Fanout } from '../../adapters/fanout/index.ts'
import { refusal, refuse } from '../errors.ts'
import { iso, type Caller } from '../shapes.ts'
import { account as contract, type Session, type User } from './contract.ts'
import { leases, type Leases } from './leases.ts'
import { erased, restored, staffed, suspended, type By, type Turn as Standing } from './standing.ts'
import { isOutdated, passwords, type Passwords } from './password.ts'
import { sessionDocs, sessions, type Opened, type Sessions } from './sessions.ts'
import {
  changed,
  emailKeyOf,
  meOf,
  newUser,
  personOf,
  profileOf,
  rated,
  responding,
  unrated,
  userOf,
  usernameKeyOf,
  users,
  withRole,
  type UserDoc,
} from './user.ts'

/** Seconds an access token is good for; who it speaks for is looked up at every request anyway. */
export const ACCESS_TTL_SECONDS = 900
/** Where a seller is onboarded unless the country is said. */
const COUNTRY_DEFAULT = 'US'

type Account = {
  here: Here
  documents: Documents
  people: Actor<UserDoc>
  passwords: Passwords
  sessions: Sessions
  leases: Leases
  fanout: Fanout
}
type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([sessionDocs] as never)
  const { ended } = leases(here)
  const self: Account = {
    here,
    documents,
    people: await here.actor({ of: users }),
    passwords: passwords(),
    sessions: sessions(documents, () => here.newId('ses'), ended),
    leases: { ended },
    fanout: await here.open('fanout'),
  }
  return {
    actions: {
      register: (ctx) => register(self, ctx),
      login: (ctx) => login(self, ctx),
      refresh: (ctx) => refresh(self, ctx),
      logout: async (ctx) => {
        await self.sessions.end(ctx.params.refreshToken)
        return {}
      },
      me: async (ctx) => meOf(await own(self, ctx.caller.id)),
      update: (ctx) => update(self, ctx),
      becomeSeller: (ctx) => becomeSeller(self, ctx),
      profile: async (ctx) => {
        const found = await byKey(self, 'username', usernameKeyOf(ctx.params.username))
        if (!found || found.erasedAt !== undefined) throw refuse('not_found', 'there is no such user')
        return profileOf(found)
      },
      who: async ({ params: { sessions: asked } }) => {
        const [found, isOpen] = await Promise.all([
          documents.getMany(
            users,
            asked.map(({ userId }) => userId),
          ),
          self.sessions.areOpen(asked),
        ])
        return found.map((user, at) =>
          user && isHere(user) && isOpen[at] ? callerOf(user, asked[at]!.sessionId) : null,
        )
      },
      cards: async (ctx) => (await documents.getMany(users, ctx.params.ids)).map((user) => user && profileOf(user)),
      contact: async (ctx) => {
        const user = await documents.get(users, ctx.params.id)
        return user && user.erasedAt === undefined ? { email: user.email, displayName: user.displayName } : null
      },
      ensure: (ctx) => ensure(self, ctx),
      personal: async ({ params: { user: id } }) => {
        const user = await own(self, id)
        const signedIn = await self.sessions.of(id)
        return {
          ...meOf(user),
          level: user.level,
          suspended: personOf(user).suspended,
          sessions: signedIn.map((one) => ({ id: one.id, createdAt: iso(one.createdAt), usedAt: iso(one.usedAt) })),
        }
      },
      erase: ({ params: { id } }) => erase(self, id),
      person: async ({ params: { id } }) => {
        const found = (await documents.get(users, id)) ?? (await byKey(self, 'username', usernameKeyOf(id)))
        if (!found) throw refuse('not_found', 'there is no such user')
        return personOf(found)
      },
      suspend: async ({ params: { id, reason }, caller }) =>
        personOf(await suspend(self, id, { by: caller.id, reason })),
      takeOut: async ({ params: { id, reason, by } }) => {
        await suspend(self, id, { by, reason })
        return {}
      },
      restore: async ({ params: { id, reason }, caller }) =>
        personOf(await stand(self, id, (user) => restored(user, { by: caller.id, reason }))),
      staff: async ({ params: { id, roles }, caller }) =>
        personOf(await stand(self, id, (user) => staffed(user, roles, caller))),
    },
    hears: {
      'review.published': async ({ id, data }) => {
        if (data.by === 'buyer') await told(self, data.seller, (user) => rated(user, data.rating, id))
      },
      'review.removed': async ({ id, data }) => {
        if (data.by === 'buyer') await told(self, data.seller, (user) => unrated(user, data.rating, id))
      },
      'chat.responded': ({ data }) => told(self, data.user, (user) => responding(user, data.minutes)),
    },
  }
})

const isHere = ({ suspended: out, erasedAt }: UserDoc): boolean => !out && erasedAt === undefined

const callerOf = ({ id, username, roles }: UserDoc, sessionId: string): Caller => ({ id, username, roles, sessionId })

const register = async (self: Account, { params }: Action<'register'>): Promise<Session> => {
  const draft = newUser({ ...params, password: '', id: self.here.newId('usr'), createdAt: self.here.clock.now() })
  // Asked before hashing too, so that a taken name costs nothing; the unique index decides between two at once.
  for (const field of ['email', 'username'] as const)
    if (await byKey(self, field, draft[`${field}Key`])) throw taken(field)
  const user = { ...draft, password: await self.passwords.hash(params.password) }
  await self.people.turn(user.id, () => ({ next: user, result: undefined })).catch(rethrowTaken)
  sayChanged(self, user)
  return sessionOf(self, user, await self.sessions.open(user.id))
}

const byKey = async ({ documents }: Account, field: 'email' | 'username', key: string): Promise<UserDoc | null> =>
  (await documents.find(users, { index: field, equals: { [`${field}Key`]: key }, limit: 1 })).docs[0] ?? null

const taken = (field: string) =>
  refuse('conflict', `that ${field} is taken`, { errors: [{ path: field, message: 'is taken' }] })

/** The store names the unique index that was in the way, which is named like the field. */
const rethrowTaken = (error: unknown): never => {
  const index = refusal(error)?.extra.data?.index
  throw typeof index === 'string' ? taken(index) : error
}

const login = async (self: Account, { params: { email, password } }: Action<'login'>): Promise<Session> => {
  const user = await byKey(self, 'email', emailKeyOf(email))
  const isRight = await self.passwords.matches(password, user?.password ?? '')
  if (!user || !isRight) throw refuse('unauthenticated', 'wrong e-mail or password')
  if (user.suspended) throw refuse('forbidden', `this account is suspended: ${user.suspended.reason}`)
  if (isOutdated(user.password)) await renewHash(self, user, password)
  return sessionOf(self, user, await self.sessions.open(user.id))
}

const renewHash = async (self: Account, { id, password: old }: UserDoc, password: string): Promise<void> => {
  const hash = await self.passwords.hash(password)
  await self.people.turn(id, (state) =>
    state?.password === old ? { next: { ...state, password: hash }, result: undefined } : { result: undefined },
  )
}

const refresh = async (self: Account, { params: { refreshToken } }: Action<'refresh'>): Promise<Session> => {
  const opened = await self.sessions.rotate(refreshToken)
  const user = opened && (await self.documents.get(users, opened.user))
  if (!user || !isHere(user)) throw refuse('unauthenticated', 'this refresh token is not good any more: sign in again')
  return sessionOf(self, user, opened)
}

const sessionOf = ({ here }: Account, user: UserDoc, { id, refreshToken }: Opened): Session => ({
  user: userOf(user),
  accessToken: signAccess(here.settings.jwtSecret, { userId: user.id, sessionId: id }, ACCESS_TTL_SECONDS, Date.now()),
  refreshToken,
  expiresIn: ACCESS_TTL_SECONDS,
})

const own = async ({ documents }: Account, id: string): Promise<UserDoc> => {
  const user = await documents.get(users, id)
  if (!user) throw refuse('unauthenticated', 'this account is gone')
  return user
}

const update = async (self: Account, { caller, params }: Action<'update'>) =>
  meOf(await change(self, caller.id, (user) => changed(user, params)))

const becomeSeller = async (self: Account, { caller, params, call }: Action<'becomeSeller'>) => {
  const { email } = await own(self, caller.id)
  // The provider comes first: a seller who can't be paid is worse than a person who tries again.
  const { url } = await call('payment.onboard', {
    user: caller.id,
    email,
    country: params.country ?? COUNTRY_DEFAULT,
  }).catch((error) => {
    throw refusal(error)
      ? error
      : refuse('unavailable', "the payment provider can't be reached right now", { retryAfterSeconds: 5 })
  })
  return { user: userOf(await change(self, caller.id, (user) => withRole(user, 'seller'))), onboardingUrl: url }
}

/** One turn that changes what others see of a person, and tells them. */
const change = async (self: Account, id: string, next: (user: UserDoc) => UserDoc): Promise<UserDoc> => {
  const user = await self.people.turn(id, (state) => {
    if (!state) throw refuse('unauthenticated', 'this account is gone')
    const after = next(state)
    const { username, roles } = after
    return { next: after, say: [{ name: 'account.changed', data: { id, username, roles } }], result: after }
  })
  sayChanged(self, user)
  await self.leases.ended(id)
  return user
}

/** A turn that changes who may do what: answered when no gateway goes by what was before. */
const stand = async (
  { people, leases: { ended } }: Account,
  id: string,
  decide: (user: UserDoc | null, now: number) => Standing,
): Promise<UserDoc> => {
  const user = await people.turn(id, decide, { settle: ['audit', 'gig'] })
  await ended(id)
  return user
}

/** First the account, then its sessions: none can be opened in between. */
const suspend = async (self: Account, id: string, why: By): Promise<UserDoc> => {
  const user = await stand(self, id, (state, now) => suspended(state, why, now))
  await self.sessions.endAll(id)
  return user
}

const erase = async (self: Account, id: string): Promise<Record<string, never>> => {
  const before = await self.documents.get(users, id)
  const user = await stand(self, id, erased)
  await self.sessions.endAll(id)
  for (const one of [before, user]) if (one) sayChanged(self, one)
  return {}
}

/** What others tell of a person changes what is shown, and is told to nobody else; null changes nothing. */
const told = async (self: Account, id: string, next: (user: UserDoc) => UserDoc | null): Promise<void> => {
  const user = await self.people.turn(id, (state) => {
    const after = state && next(state)
    return after ? { next: after, result: after } : { result: null }
  })
  if (user) sayChanged(self, user)
}

const sayChanged = ({ fanout }: Account, { usernameKey }: UserDoc): void =>
  fanout.toNodes('hot.changed', { tags: [`user:${usernameKey}`] })

const ensure = async (self: Account, { params }: Action<'ensure'>): Promise<User> => {
  const known = await self.documents.get(users, params.id)
  if (known) return userOf(known)
  const { createdAt = self.here.clock.now(), ...given } = params
  const draft = newUser({ ...given, createdAt })
  const user = params.password === '' ? draft : { ...draft, password: await self.passwords.hash(params.password) }
  return self.people
    .turn(user.id, (state) => (state ? { result: userOf(state) } : { next: user, result: userOf(user) }))
    .catch(rethrowTaken)
}
