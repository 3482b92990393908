// An offer's whole life in one table: it is open until one thing happens to it, and then never changes again. Pure.
import type { OfferStatus } from './contract.ts'

export type Party = 'seller' | 'buyer'
export type Step = {
  by: Party | 'clock'
  from: OfferStatus | null
  to: OfferStatus
  /** The action a client names; absent for steps nobody may ask for. */
  action?: string
}

export const steps = {
  made: { by: 'seller', from: null, to: 'open' },
  accepted: { by: 'buyer', from: 'open', to: 'accepted', action: 'accept' },
  declined: { by: 'buyer', from: 'open', to: 'declined', action: 'decline' },
  withdrawn: { by: 'seller', from: 'open', to: 'withdrawn', action: 'withdraw' },
  expired: { by: 'clock', from: 'open', to: 'expired' },
} as const satisfies Record<string, Step>
export type StepName = keyof typeof steps

/** Where a step leads, or null when the status forbids it. */
export const leadsTo = (name: StepName, status: OfferStatus | null): OfferStatus | null =>
  steps[name].from === status ? steps[name].to : null

export const actionsOf = (party: Party, status: OfferStatus): string[] =>
  Object.values<Step>(steps).flatMap(({ by, from, action }) =>
    action && by === party && from === status ? [action] : [],
  )
