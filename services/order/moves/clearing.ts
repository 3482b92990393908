// When money that begins to clear is the seller's to take. Pure.
import type { OrderDoc } from '../state.ts'
import { WARNING_HOLD_MS } from '../timing.ts'

export const clearsAt = ({ clearingMs, warnings = [] }: OrderDoc, now: number): number =>
  Math.max(now + clearingMs, ...warnings.map(({ at }) => at + WARNING_HOLD_MS))
