// The contracts' schemas as a document carries them: plain JSON, with what is named said once and referred to.
import type { TSchema } from 'typebox'

export type Json = { [name: string]: unknown }
export type Schemas = {
  /** The schema, with a $ref in place of everything named. */
  of(schema: TSchema): Json
  /** The named ones met so far. */
  named: Json
}

export const schemas = (): Schemas => {
  const named: Json = {}
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    const { $id, ...rest } = value as Json
    if (typeof $id !== 'string')
      return Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, walk(inner)]))
    if (!(($id as string) in named)) {
      named[$id] = {}
      named[$id] = walk(rest)
    }
    return { $ref: `#/components/schemas/${$id}` }
  }
  return { of: (schema) => walk(JSON.parse(JSON.stringify(schema))) as Json, named }
}

export const propertiesOf = (schema: TSchema): { name: string; schema: TSchema; required: boolean }[] => {
  const { properties = {}, required = [] } = schema as unknown as {
    properties?: Record<string, TSchema>
    required?: string[]
  }
  return Object.entries(properties).map(([name, one]) => ({ name, schema: one, required: required.includes(name) }))
}
