// Money that must not leave for now: all of it, or one seller's. What payouts said last is kept here, beside the calls, and
// read from the store before each of them: no node and no queue sends what is held.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { changeDocument } from '../../mixins/change.ts'
import type { AnyOperation } from './calls.ts'
import type { CallName } from './operation.ts'

/** `id`: a seller, or ALL. `change` numbers what was said about it. */
type Hold = Doc & { held: boolean; change: number }
export const holds = collection<Hold>('payment_holds')

export type Holds = {
  isHeld(doc: AnyOperation, name: CallName): Promise<boolean>
  set(scope: string, held: boolean, change: number): Promise<void>
}

const ALL = 'all'
/** Calls that send a seller's money on its way. Bringing it back is never held. */
const LEAVES: readonly CallName[] = ['transfer', 'payout']

export const openHolds = (documents: Documents): Holds => ({
  isHeld: async (doc, name) => {
    if (doc.kind !== 'disbursement' || !LEAVES.includes(name)) return false
    return (await documents.getMany(holds, [ALL, doc.seller])).some((hold) => hold?.held === true)
  },
  set: async (scope, held, change) => {
    await changeDocument(documents, holds, scope, (known) =>
      known && known.change >= change ? null : { id: scope, held, change },
    )
  },
})
