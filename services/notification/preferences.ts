// What a person wants to be told and how: the settings as stored, and what follows from them. Pure.
import type { Doc } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { KINDS, WAYS, type Kind, type Settings, type Way } from './contract.ts'
import { afterQuiet, digestAt, isTimeZone } from './hours.ts'

/** Keyed by the user. */
export type SettingsDoc = Doc & { settings: Settings }
export const preferences = collection<SettingsDoc>('notification_settings')

export type Given = Partial<Omit<Settings, 'kinds'>> & { kinds?: Partial<Settings['kinds']> }

const WANTED = { email: true, push: true }
export const DEFAULTS: Settings = {
  kinds: {
    message: WANTED,
    order: WANTED,
    gig: WANTED,
    review: WANTED,
    payout: WANTED,
    search: WANTED,
    account: WANTED,
  },
  email: 'instant',
  quiet: null,
  timeZone: 'UTC',
}

export const settled = (given: Given): Settings => {
  const timeZone = given.timeZone ?? DEFAULTS.timeZone
  if (!isTimeZone(timeZone))
    throw refuse('validation_failed', `timeZone: ${timeZone} is not known`, {
      errors: [{ path: 'timeZone', message: 'must be an IANA name or an offset like +02:00' }],
    })
  return { ...DEFAULTS, ...given, timeZone, kinds: { ...DEFAULTS.kinds, ...given.kinds } }
}

export const wants = (settings: Settings, kind: Kind, way: Way): boolean =>
  // Settings kept before there was this kind say nothing about it.
  (settings.kinds[kind] ?? WANTED)[way] && (way !== 'email' || settings.email !== 'off')

/** When what was said at `at` leaves the app by this way. */
export const leavesAt = (settings: Settings, way: Way, at: number): number =>
  afterQuiet(settings, way === 'email' ? digestAt(settings, at) : at)

/** Settings without letters of a kind, or without any. */
export const unsubscribed = (settings: Settings, kind: Kind | 'all'): Settings => {
  if (kind === 'all') return { ...settings, email: 'off' }
  return { ...settings, kinds: { ...settings.kinds, [kind]: { ...(settings.kinds[kind] ?? WANTED), email: false } } }
}

export const isKind = (text: string): text is Kind => (KINDS as readonly string[]).includes(text)
export const waysWanted = (settings: Settings, kind: Kind): Way[] => WAYS.filter((way) => wants(settings, kind, way))
