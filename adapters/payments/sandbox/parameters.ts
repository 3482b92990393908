// What each operation takes, as data, and the one check of it. Unknown names and wrong types are refused before
// anything runs.
import type { Form, FormValue } from './form.ts'
import { invalid } from './problem.ts'

/** `metadata?` may also be the empty string, which clears it. */
export type FieldType =
  | 'text'
  | 'url'
  | 'integer'
  | 'boolean'
  | 'currency'
  | 'metadata'
  | 'metadata?'
  | 'list'
  | 'range'
/** `a|b` is one of these words. A trailing `!` means required. `{}` nests. */
export type Fields = { [name: string]: FieldType | `${FieldType}!` | `${string}|${string}` | Fields }

export type Parameters = {
  [name: string]: string | number | boolean | string[] | Record<string, string> | Parameters | undefined
}

export const METADATA_KEYS_MAX = 50
export const METADATA_KEY_CHARACTERS_MAX = 40
export const METADATA_VALUE_CHARACTERS_MAX = 500
export const TEXT_CHARACTERS_MAX = 5_000
export const CURRENCIES = [
  'usd',
  'eur',
  'gbp',
  'chf',
  'cad',
  'aud',
  'nzd',
  'sek',
  'nok',
  'dkk',
  'pln',
  'czk',
  'ron',
  'huf',
  'jpy',
  'sgd',
  'hkd',
  'inr',
  'brl',
  'mxn',
]

export const checkParameters = (form: Form, fields: Fields, prefix = ''): Parameters => {
  const named = (name: string) => (prefix ? `${prefix}[${name}]` : name)
  const unknown = Object.keys(form).find((name) => !Object.hasOwn(fields, name))
  if (unknown !== undefined)
    throw invalid(`Received unknown parameter: ${named(unknown)}`, 'parameter_unknown', named(unknown))
  const checked: Parameters = {}
  for (const [name, type] of Object.entries(fields)) {
    const value = form[name]
    if (value !== undefined) checked[name] = checkOne(value, type, named(name))
    else if (typeof type === 'string' && type.endsWith('!'))
      throw invalid(`Missing required param: ${named(name)}.`, 'parameter_missing', named(name))
  }
  return checked
}

const checkOne = (value: FormValue, type: Fields[string], param: string): Parameters[string] => {
  if (typeof type !== 'string') {
    if (typeof value === 'string' || Array.isArray(value)) throw invalid(`Invalid object: ${param}`, undefined, param)
    return checkParameters(value, type, param)
  }
  const plain = type.replace('!', '')
  return plain.includes('|') ? oneOf(value, plain.split('|'), param) : CHECKS[plain as FieldType](value, param)
}

const oneOf = (value: FormValue, words: string[], param: string): string => {
  if (typeof value !== 'string' || !words.includes(value))
    throw invalid(`Invalid ${param}: must be one of ${words.join(', ')}`, undefined, param)
  return value
}

const text = (value: FormValue, param: string): string => {
  if (typeof value !== 'string') throw invalid(`Invalid string: ${param}`, 'parameter_invalid_string', param)
  if (value === '') throw invalid(`You passed an empty string for '${param}'.`, 'parameter_invalid_empty', param)
  if (value.length > TEXT_CHARACTERS_MAX) throw invalid(`Invalid string: ${param} is too long.`, undefined, param)
  return value
}

const integer = (value: FormValue, param: string): number => {
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : NaN
  if (!Number.isSafeInteger(number))
    throw invalid(`Invalid integer: ${String(value).slice(0, 40)}`, 'parameter_invalid_integer', param)
  return number
}

const CHECKS: Record<FieldType, (value: FormValue, param: string) => Parameters[string]> = {
  text,
  integer,
  url: (value, param) => {
    if (!URL.canParse(text(value, param))) throw invalid('Not a valid URL.', 'url_invalid', param)
    return text(value, param)
  },
  boolean: (value, param) => {
    if (value !== 'true' && value !== 'false')
      throw invalid(`Invalid boolean: ${String(value).slice(0, 40)}`, undefined, param)
    return value === 'true'
  },
  currency: (value, param) => {
    const currency = text(value, param).toLowerCase()
    if (!CURRENCIES.includes(currency)) throw invalid(`Invalid currency: ${currency.slice(0, 10)}.`, undefined, param)
    return currency
  },
  metadata: (value, param) => checkMetadata(value, param),
  'metadata?': (value, param) => (value === '' ? {} : checkMetadata(value, param)),
  list: (value, param) => {
    if (!Array.isArray(value)) throw invalid('Invalid array', undefined, param)
    return value.map((each) => text(each, param))
  },
  // `created=1700000000` or `created[gte]=…`.
  range: (value, param) => {
    if (typeof value === 'string') return { gte: integer(value, param), lte: integer(value, param) }
    if (Array.isArray(value)) throw invalid(`Invalid object: ${param}`, undefined, param)
    return checkParameters(value, { gt: 'integer', gte: 'integer', lt: 'integer', lte: 'integer' }, param)
  },
}

const checkMetadata = (value: FormValue, param: string): Record<string, string> => {
  if (typeof value === 'string' || Array.isArray(value)) throw invalid(`Invalid object: ${param}`, undefined, param)
  const entries = Object.entries(value)
  if (entries.length > METADATA_KEYS_MAX)
    throw invalid(`Metadata can have up to ${METADATA_KEYS_MAX} keys.`, undefined, param)
  for (const [key, each] of entries) {
    if (typeof each !== 'string') throw invalid('Metadata values must be strings.', undefined, `${param}[${key}]`)
    if (key.length > METADATA_KEY_CHARACTERS_MAX || each.length > METADATA_VALUE_CHARACTERS_MAX)
      throw invalid('A metadata key or value is too long.', undefined, `${param}[${key}]`)
  }
  return Object.fromEntries(entries) as Record<string, string>
}
