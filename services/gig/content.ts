// What a seller writes about a gig: cleaned, then checked as a whole. A draft may lack parts; what it has must be right.
import { refuse, type FieldError } from '../errors.ts'
import { PACKAGE_NAMES, type Extra, type GigContent, type Image } from './contract.ts'
import type { Package, PackageName, Packages } from './contract.ts'

/** A draft may have no packages yet. Everything else has an empty value. */
export type DraftContent = Omit<GigContent, 'packages'> & { packages: Partial<Packages> }
type GivenPackage = Omit<Package, 'features'> & { features?: Package['features'] }
type GivenExtra = Omit<Extra, 'addedDays'> & { addedDays?: Extra['addedDays'] }
/** What is sent, where it differs from what is kept. */
type GivenParts = {
  packages: { [N in PackageName]?: GivenPackage }
  extras: GivenExtra[]
  images: (Image | string)[]
}
export type Given = {
  [K in keyof GigContent]?: (K extends keyof GivenParts ? GivenParts[K] : GigContent[K]) | undefined
}

const EMPTY: DraftContent = {
  title: '',
  description: '',
  category: '',
  subcategory: '',
  tags: [],
  packages: {},
  extras: [],
  faq: [],
  requirements: [],
  images: [],
}

/** The content with the given fields instead of its own; refused with every reason when that makes no sense. */
export const contentWith = (content: DraftContent | null, given: Given): DraftContent => {
  const { packages, extras, images, ...texts } = cleaned(given, '', []) as Partial<
    Omit<DraftContent, keyof GivenParts>
  > &
    Pick<Given, keyof GivenParts>
  const merged: DraftContent = {
    ...(content ?? EMPTY),
    ...texts,
    ...(packages && { packages: wholePackages(packages) }),
    ...(extras && { extras: extras.map((extra) => ({ ...extra, addedDays: extra.addedDays ?? 0 })) }),
    ...(images && { images: images.map(imageOf) }),
  }
  const next = { ...merged, tags: distinctTags(merged.tags) }
  refuseIf(wrongs(next))
  return next
}

const wholePackages = (packages: GivenParts['packages']): Partial<Packages> =>
  Object.fromEntries(
    Object.entries(packages).map(([name, given]) => [name, { ...given, features: given.features ?? [] }]),
  )

/** An image named by its id or address alone. */
const imageOf = (image: Image | string): Image => {
  if (typeof image !== 'string') return image
  return image.startsWith('/')
    ? { id: image.slice(image.lastIndexOf('/') + 1).replace(/\.[a-z]+$/, ''), url: image }
    : { id: image, url: `/media/${image}` }
}

/** What publishing asks for and this lacks. */
export const refuseIncomplete = (content: DraftContent): void => {
  const lacking = (['title', 'description', 'category'] as const).filter((field) => content[field] === '')
  const errors = lacking.map((path): FieldError => ({ path, message: 'is required to publish' }))
  if (!content.packages.basic) errors.push({ path: 'packages.basic', message: 'is required to publish' })
  refuseIf(errors)
}

export const isComplete = (content: DraftContent): content is GigContent => content.packages.basic !== undefined

export const packagesOf = ({ packages }: DraftContent): Package[] =>
  PACKAGE_NAMES.flatMap((name) => packages[name] ?? [])

export const currencyOf = (content: DraftContent): string => content.packages.basic?.price.currency ?? 'usd'

const refuseIf = (errors: readonly FieldError[]): void => {
  const [first] = errors
  if (first) throw refuse('validation_failed', `${first.path}: ${first.message}`, { errors: [...errors] })
}

// Control characters but tab and line breaks, and the invisible ones that turn text around.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNWANTED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
/** Texts of several lines; all others have one. */
const LINES: ReadonlySet<string> = new Set(['description', 'answer', 'question'])

/** Every text in it trimmed; refused where nothing is left or control characters hide. */
const cleaned = (value: unknown, path: string, errors: FieldError[]): unknown => {
  const result = cleanedPart(value, path, errors)
  if (path === '') refuseIf(errors)
  return result
}

const cleanedPart = (value: unknown, path: string, errors: FieldError[]): unknown => {
  if (typeof value === 'string') return cleanedText(value, path, errors)
  if (Array.isArray(value)) return value.map((item, at) => cleanedPart(item, `${path}.${at}`, errors))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(
    entries.map(([name, item]) => [name, cleanedPart(item, path ? `${path}.${name}` : name, errors)]),
  )
}

const cleanedText = (value: string, path: string, errors: FieldError[]): string => {
  const text = value.trim()
  const hasLines = LINES.has(path.slice(path.lastIndexOf('.') + 1))
  if (text === '' && path !== 'subcategory') errors.push({ path, message: 'is empty' })
  else if (UNWANTED.test(text) || (!hasLines && /[\t\r\n]/.test(text)))
    errors.push({ path, message: 'contains control characters' })
  return text
}

const distinctTags = (tags: readonly string[]): string[] => [
  ...new Map(tags.map((tag) => [tag.toLowerCase(), tag])).values(),
]

const wrongs = (content: DraftContent): FieldError[] => [
  ...repeatedIds('extras', content.extras),
  ...repeatedIds('requirements', content.requirements),
  ...mixedCurrencies(content),
  ...content.images.flatMap(({ url }, at) =>
    isOurs(url) ? [] : [{ path: `images.${at}.url`, message: 'is not an image kept here' }],
  ),
]

const repeatedIds = (field: string, items: readonly { id: string }[]): FieldError[] =>
  items.flatMap(({ id }, at) =>
    items.findIndex((other) => other.id === id) < at ? [{ path: `${field}.${at}.id`, message: 'is used twice' }] : [],
  )

const mixedCurrencies = (content: DraftContent): FieldError[] => {
  const currency = currencyOf(content)
  const prices = [
    ...PACKAGE_NAMES.map((name) => [`packages.${name}.price`, content.packages[name]?.price] as const),
    ...content.extras.map(({ price }, at) => [`extras.${at}.price`, price] as const),
  ]
  return prices.flatMap(([path, price]) =>
    price && price.currency !== currency
      ? [{ path: `${path}.currency`, message: `is not ${currency} like the others` }]
      : [],
  )
}

const OURS = /^\/(?:media|art)\/[A-Za-z0-9](?:[A-Za-z0-9_-]|[./](?![./]))*(?:\?[A-Za-z0-9=&._-]*)?$/
const isOurs = (url: string): boolean => OURS.test(url)
