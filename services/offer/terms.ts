// What a seller may offer: words that are words, the gig's currency, an end that is still to come. Pure.
import { refuse, type FieldError } from '../errors.ts'
import type { Package, Quote } from '../gig/contract.ts'
import { judge } from '../moderation/contract.ts'
import { EXPIRES_AFTER_MS, EXPIRES_AFTER_MS_MAX } from './contract.ts'

export type Terms = Pick<Package, 'title' | 'description' | 'price' | 'deliveryDays' | 'revisions'> & {
  expiresAt: number
}
export type Given = Omit<Terms, 'description' | 'expiresAt'> & {
  description?: string | undefined
  expiresAt?: string | undefined
}

export const termsOf = (given: Given, { packages }: Pick<Quote, 'packages'>, now: number): Terms => {
  const { price, deliveryDays, revisions } = given
  const title = given.title.trim()
  const description = given.description?.trim() ?? ''
  const expiresAt = given.expiresAt === undefined ? now + EXPIRES_AFTER_MS : timeOf(given.expiresAt)
  const { currency } = packages.basic.price
  const rows: [path: string, message: string | false][] = [
    ['title', wrongWords(title) || (/[\t\r\n]/.test(title) && 'has more than one line')],
    ['description', given.description !== undefined && wrongWords(description)],
    ['price.currency', price.currency !== currency && `is not ${currency} like the gig's`],
    ['expiresAt', wrongTime(expiresAt, now)],
  ]
  const errors = rows.flatMap(([path, message]): FieldError[] => (message ? [{ path, message }] : []))
  const [first] = errors
  if (first) throw refuse('validation_failed', `${first.path}: ${first.message}`, { errors })
  return { title, description, price, deliveryDays, revisions, expiresAt }
}

const wrongWords = (text: string): string | false =>
  (text === '' && 'is empty') ||
  ((UNWANTED.test(text) || !text.isWellFormed()) && 'contains control characters') ||
  unspeakable(text)

/** What would be masked or held in a message is not offered at all: an offer reads the same for ever. */
const unspeakable = (text: string): string | false => {
  const { outcome, reasons } = judge(text)
  return (outcome === 'mask' || outcome === 'hold') && `has ${reasons.join(' and ')}`
}
// Control characters but tab and line breaks, and the invisible ones that turn text around.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNWANTED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/** ISO 8601 with its zone said; NaN for anything else. */
const timeOf = (text: string): number => (ISO.test(text) ? Date.parse(text) : Number.NaN)
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

const wrongTime = (at: number, now: number): string | false =>
  (!Number.isFinite(at) && 'is not an ISO 8601 time') ||
  (at <= now && 'has passed') ||
  (at > now + EXPIRES_AFTER_MS_MAX && `is more than ${EXPIRES_AFTER_MS_MAX / 86_400_000} days away`)
