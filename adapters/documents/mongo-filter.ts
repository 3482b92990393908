// The filter, order and index that a checked query comes to in MongoDB. Comparisons there stay within one type, the
// port's order goes over numbers and then strings, so a range becomes one condition per type it touches. Pure.
import type { Collection, Index, Key } from './index.ts'
import type { Plan } from './query.ts'

type Condition = Record<string, unknown>
export type Filter = { $and: Condition[] } | { $or: { $and: Condition[] }[] }
type Bound = { value: Key; open: boolean } | null

/** A field counts as present when it holds a value that can be a key; null and absent do not. */
const PRESENT = { $type: ['number', 'string'] }

export const indexSpecs = (
  of: Collection,
): { name: string; fields: Record<string, 1>; unique: boolean; present: Condition }[] =>
  Object.entries(of.indexes).map(([name, index]) => ({
    name,
    fields: Object.fromEntries([...index.keys, ...(index.unique ? [] : ['_id'])].map((key) => [key, 1 as const])),
    unique: index.unique === true,
    present: Object.fromEntries(index.keys.map((key) => [key, PRESENT])),
  }))

/**
 * Repeats the index's own condition word for word: MongoDB uses a partial index only for what it can see to be inside.
 */
export const filterOf = (plan: Plan): Filter => {
  const common = [...present(plan.index), ...plan.equals.map(([key, value]) => ({ [key]: value }))]
  const branches = (plan.after && plan.after.length > 0 ? afterBranches(plan, plan.after) : rangeBranches(plan)).map(
    (branch) => ({
      $and: [...common, ...branch],
    }),
  )
  return branches.length === 1 ? (branches[0] as { $and: Condition[] }) : { $or: branches }
}

export const sortOf = ({ orderedBy, order }: Plan): Record<string, 1 | -1> =>
  Object.fromEntries(orderedBy.map((key) => [fieldOf(key), order === 'asc' ? 1 : -1]))

const present = (index: Index): Condition[] => index.keys.map((key) => ({ [key]: PRESENT }))

const rangeBranches = ({ range }: Plan): Condition[][] => {
  if (!range) return [[]]
  return between(range.key, bound(range.from, false), bound(range.to, false)).map((condition) => [condition])
}

/**
 * After (a, b, id): the same a and b with a later id, the same a with a later b, a later a. Each is one stretch of the
 * index.
 */
const afterBranches = ({ range, order, orderedBy }: Plan, after: readonly Key[]): Condition[][] =>
  orderedBy.flatMap((key, i) => {
    const same = orderedBy.slice(0, i).map((earlier, at) => ({ [fieldOf(earlier)]: after[at] }))
    const here = bound(after[i], true)
    const edge = range && key === range.key ? bound(order === 'asc' ? range.to : range.from, false) : null
    const stretch = order === 'asc' ? between(fieldOf(key), here, edge) : between(fieldOf(key), edge, here)
    return stretch.map((condition) => [...same, condition])
  })

/** One condition per type between two bounds, numbers coming before strings. An id is always a string. */
const between = (field: string, low: Bound, high: Bound): Condition[] => {
  const conditions: Condition[] = []
  if (typeof low?.value !== 'string' && field !== '_id') conditions.push({ [field]: within('number', low, high) })
  if (typeof high?.value !== 'number') conditions.push({ [field]: within('string', low, high) })
  return conditions
}

const within = (type: 'number' | 'string', low: Bound, high: Bound): Condition => {
  const condition: Condition = {}
  if (low && typeof low.value === type) condition[low.open ? '$gt' : '$gte'] = low.value
  if (high && typeof high.value === type) condition[high.open ? '$lt' : '$lte'] = high.value
  return Object.keys(condition).length > 0 ? condition : { $type: type }
}

const bound = (value: Key | undefined, open: boolean): Bound => (value === undefined ? null : { value, open })

const fieldOf = (key: string): string => (key === 'id' ? '_id' : key)
