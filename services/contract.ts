// All contracts, joined. A new actor is one line here.
import type { ActionsOf, EventsOf } from '../mixins/contract.ts'
import { account } from './account/contract.ts'
import { announcement } from './announcement/contract.ts'
import { audit } from './audit/contract.ts'
import { chat } from './chat/contract.ts'
import { cost } from './cost/contract.ts'
import { discovery } from './discovery/contract.ts'
import { favorite } from './favorite/contract.ts'
import { gig } from './gig/contract.ts'
import { ledger } from './ledger/contract.ts'
import { media } from './media/contract.ts'
import { moderation } from './moderation/contract.ts'
import { notification } from './notification/contract.ts'
import { offer } from './offer/contract.ts'
import { order } from './order/contract.ts'
import { payment } from './payment/contract.ts'
import { payout } from './payout/contract.ts'
import { privacy } from './privacy/contract.ts'
import { reconciliation } from './reconciliation/contract.ts'
import { recommendation } from './recommendation/contract.ts'
import { review } from './review/contract.ts'
import { sandbox } from './sandbox/contract.ts'
import { search } from './search/contract.ts'
import { statement } from './statement/contract.ts'

export const contracts = {
  account,
  announcement,
  audit,
  chat,
  cost,
  discovery,
  favorite,
  gig,
  ledger,
  media,
  moderation,
  notification,
  offer,
  order,
  payment,
  payout,
  privacy,
  reconciliation,
  recommendation,
  review,
  sandbox,
  search,
  statement,
} as const

type Contracts = typeof contracts
type Joined<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer All) => void ? All : never
type Flat<T> = { [K in keyof T]: T[K] }

/** Every action that may be called, by full name. */
export type Actions = Flat<Joined<{ [S in keyof Contracts]: ActionsOf<Contracts[S]> }[keyof Contracts]>>
/** Every event that may be said durably, by full name. */
export type Events = Flat<Joined<{ [S in keyof Contracts]: EventsOf<Contracts[S]> }[keyof Contracts]>>
