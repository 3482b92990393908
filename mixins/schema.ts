// Checks a value against a contract's schema, fast when it fits and with the reasons when it does not.
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { FieldError } from '../services/errors.ts'

/** The most reasons given for one value. */
export const ERRORS_MAX = 10

type Compiled = ReturnType<typeof Compile>

/** null: it fits. Compiled at first use, so that a start does not pay for routes nobody asks. */
export const checker = (schema: TSchema): ((value: unknown) => FieldError[] | null) => {
  let compiled: Compiled | undefined
  return (value) => {
    compiled ??= Compile(schema)
    return compiled.Check(value) ? null : reasons(compiled.Errors(value))
  }
}

type SchemaError = { keyword: string; instancePath: string; message: string; params: unknown }

const reasons = (errors: Iterable<SchemaError>): FieldError[] => {
  const found = new Map<string, string>()
  for (const { keyword, instancePath, message, params } of errors) {
    if (found.size >= ERRORS_MAX) break
    for (const [path, text] of described(keyword, instancePath, message, params))
      if (!found.has(path)) found.set(path, text)
  }
  return [...found].map(([path, message]) => ({ path, message }))
}

/** Paths as a client writes them: `packages.basic.price`, the field itself for a missing or unknown one. */
const described = (keyword: string, instancePath: string, message: string, params: unknown): [string, string][] => {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const at = (field: string) => (path ? `${path}.${field}` : field)
  const { requiredProperties, additionalProperties } = params as {
    requiredProperties?: string[]
    additionalProperties?: string[]
  }
  if (keyword === 'required' && requiredProperties) return requiredProperties.map((field) => [at(field), 'is required'])
  if (keyword === 'additionalProperties' && additionalProperties)
    return additionalProperties.map((field) => [at(field), 'is not a known field'])
  // The schema 'false' that an unknown field meets says nothing that additionalProperties does not.
  if (keyword === 'boolean') return []
  return [[path, message]]
}
