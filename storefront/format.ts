// Numbers and times as people read them.
import type { Money } from '../services/shapes.ts'
import { html, type Html } from './html.ts'

const DIGITS = new Map<string, number>()
/** Minor units of the currency as Intl knows them: 2 for usd, 0 for jpy. */
const digitsOf = (currency: string): number => {
  let digits = DIGITS.get(currency)
  if (digits === undefined)
    DIGITS.set(
      currency,
      (digits =
        new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2),
    )
  return digits
}
const FORMATS = new Map<string, Intl.NumberFormat>()

/** Whole amounts without their zeros: $50, $49.50. */
export const money = ({ amount, currency }: Money): string => {
  const digits = digitsOf(currency)
  const fraction = amount % 10 ** digits === 0 ? 0 : digits
  const key = `${currency}/${fraction}`
  let format = FORMATS.get(key)
  if (!format)
    FORMATS.set(
      key,
      (format = new Intl.NumberFormat('en', {
        style: 'currency',
        currency,
        minimumFractionDigits: fraction,
        maximumFractionDigits: fraction,
      })),
    )
  return format.format(amount / 10 ** digits)
}

const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' })
const MONTH = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
export const day = (time: string): Html => html`<time datetime="${time}">${DAY.format(new Date(time))}</time>`
export const month = (time: string): Html => html`<time datetime="${time}">${MONTH.format(new Date(time))}</time>`

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

/** Minutes in the unit they are felt in: 20 minutes, 3 hours, 2 days. */
export const wait = (minutes: number): string =>
  minutes < 90
    ? plural(minutes, 'minute')
    : minutes < 36 * 60
      ? plural(Math.round(minutes / 60), 'hour')
      : plural(Math.round(minutes / 1440), 'day')

/** Stars for the eye, words for the ear. */
export const rating = (mean: number, count: number): Html =>
  count === 0
    ? html`<span class="rating none">No reviews yet</span>`
    : html`<span class="rating"
        ><span aria-hidden="true">★</span> <b>${mean.toFixed(1)}</b><span class="hidden"> of 5 stars,</span>
        <span class="count">(${count.toLocaleString('en')}<span class="hidden"> reviews</span>)</span></span
      >`

const LEVELS: Record<string, string> = {
  new: 'New seller',
  level_one: 'Level 1',
  level_two: 'Level 2',
  top_rated: 'Top rated',
}
export const level = (name: string): string => LEVELS[name] ?? name
