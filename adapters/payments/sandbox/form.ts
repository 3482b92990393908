// Form bodies and query strings as the provider reads them: `a[b]=1&c[]=x&d[0][e]=y` is {a: {b}, c: [x], d: [{e}]}.
import { invalid } from './problem.ts'

export type FormValue = string | FormValue[] | { [name: string]: FormValue }
export type Form = { [name: string]: FormValue }

export const FIELDS_MAX = 500
export const DEPTH_MAX = 5

export const parseForm = (text: string): Form => {
  const form = emptyForm()
  let fields = 0
  for (const [name, value] of new URLSearchParams(text)) {
    fields += 1
    if (fields > FIELDS_MAX) throw invalid(`A request has at most ${FIELDS_MAX} fields.`)
    place(form, pathOf(name), value)
  }
  return listed(form) as Form
}

// Without a prototype, so that a field called __proto__ is only a field.
const emptyForm = (): Form => Object.create(null) as Form

const pathOf = (name: string): string[] => {
  const head = /^[^[\]]+/.exec(name)?.[0]
  const rest = name.slice(head?.length ?? 0)
  if (!head || !/^(\[[^[\]]*\])*$/.test(rest)) throw invalid(`Invalid parameter name: ${name.slice(0, 100)}`)
  const path = [head, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map((match) => match[1] ?? '')]
  if (path.length > DEPTH_MAX) throw invalid(`A parameter is nested at most ${DEPTH_MAX} deep: ${name.slice(0, 100)}`)
  return path
}

const place = (form: Form, path: string[], value: string) => {
  let here = form
  for (const step of path.slice(0, -1)) {
    const next = here[step]
    if (next === undefined) here[step] = emptyForm()
    else if (typeof next === 'string') throw invalid(`Parameter ${path[0]} is both a value and an object.`)
    here = here[step] as Form
  }
  const last = path.at(-1) ?? ''
  here[last === '' ? String(Object.keys(here).length) : last] = value
}

/** An object whose names are 0, 1, 2 … was an array. */
const listed = (value: FormValue): FormValue => {
  if (typeof value === 'string' || Array.isArray(value)) return value
  const names = Object.keys(value)
  for (const name of names) value[name] = listed(value[name] as FormValue)
  const isList = names.length > 0 && names.every((name, index) => name === String(index))
  return isList ? names.map((name) => value[name] as FormValue) : value
}
