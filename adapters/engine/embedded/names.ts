// The values of facets, numbered once for all parts, so that counting over parts adds numbers and looks up no text.
import { nameAt, type Table } from './table.ts'

export type Names = { all: string[]; numbers: Map<string, number> }

/** Values numbered; past it the numbering starts anew, so that values long gone are not kept for ever. */
export const NAMES_MAX = 100_000

export const noNames = (): Names => ({ all: [], numbers: new Map() })

/** By place in the table: the number of its value. */
export function numbersIn(names: Names, table: Table): Uint32Array {
  if (table.numbered?.names === names) return table.numbered.numbers
  const numbers = Uint32Array.from({ length: table.size }, (_, at) => numberOf(names, nameAt(table, at)))
  table.numbered = { names, numbers }
  return numbers
}

function numberOf(names: Names, name: string): number {
  const known = names.numbers.get(name)
  if (known !== undefined) return known
  names.numbers.set(name, names.all.length)
  return names.all.push(name) - 1
}
