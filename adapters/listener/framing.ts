// What a request must look like before anybody acts on it. Two readers of one byte stream that disagree about where a
// request ends is how requests are smuggled past a proxy, so whatever could be read in two ways is refused.
import { METHODS } from 'node:http'
import type { RequestHeaders } from './index.ts'

export type Head = {
  method: string
  path: string
  query: string
  /** name, value, name, value …; names in lower case. */
  fields: string[]
}

const methods = new Set(METHODS)
const headersMax = 100
/** All names and values together; also what uWebSockets is told when it is loaded. */
export const headBytesMax = 16_384

/** 0 where the request may be answered, else the status that refuses it. */
export const faultOf = ({ method, path, fields }: Head): number => {
  if (!methods.has(method) || path.charCodeAt(0) !== slash) return 400
  if (fields.length > headersMax * 2) return 431
  let hosts = 0
  let lengths = 0
  let encodings = 0
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!
    const value = fields[at + 1]!
    // the length is the cheapest way past the many headers that don't matter here
    if (name.length === 4 && name === 'host') hosts += value === '' ? 2 : 1
    else if (name.length === 14 && name === 'content-length') lengths += digits.test(value) ? 1 : 2
    else if (name.length === 17 && name === 'transfer-encoding') encodings += value.toLowerCase() === 'chunked' ? 1 : 2
    else if (name.length === 0) return 400
  }
  return hosts === 1 && lengths + encodings <= 1 ? 0 : 400
}

const slash = 47
const digits = /^\d{1,15}$/

/** The first value of a header, or '' when there is none. */
export const fieldOf = (fields: readonly string[], name: string): string => {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1]!
  return ''
}

/** Bytes announced by Content-Length; Infinity for a chunked body, whose end only it knows. */
export const bodyLengthOf = (fields: readonly string[]): number =>
  fieldOf(fields, 'transfer-encoding') === '' ? Number(fieldOf(fields, 'content-length')) : Infinity

type Fields = readonly string[]

/** Looks through them when asked: less work than a map of all, of which most are never looked at. */
export class FieldHeaders implements RequestHeaders {
  readonly #fields: Fields

  constructor(fields: Fields) {
    this.#fields = fields
  }

  get(name: string): string | undefined {
    const fields = this.#fields
    let found: string | undefined
    for (let at = 0; at < fields.length; at += 2)
      if (fields[at] === name) found = found === undefined ? fields[at + 1]! : `${found}, ${fields[at + 1]!}`
    return found
  }

  has(name: string): boolean {
    const fields = this.#fields
    for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return true
    return false
  }
}

/** What stands in the way of an upgrade, as a status, or 0. */
export const upgradeFaultOf = (fields: readonly string[]): number => {
  if (!key.test(fieldOf(fields, 'sec-websocket-key'))) return 400
  return fieldOf(fields, 'sec-websocket-version') === '13' ? 0 : 426
}

const key = /^[+/0-9A-Za-z]{22}==$/

export const protocolsOf = (fields: readonly string[]): string[] =>
  (new FieldHeaders(fields).get('sec-websocket-protocol') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
