// Statements. No key: whatever is said is read from the ledger, and sums of months are a projection of it.
import { repeated } from '../../mixins/repeated.ts'
import { service } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { statement as contract } from './contract.ts'
import { months, openMonths, places } from './months.ts'
import { monthPaper, payoutPaper, yearPaper } from './paper.ts'
import { monthOf } from './period.ts'
import { openReports } from './reports.ts'

const DEFAULT_CURRENCY = 'usd'
/** How often the sums are brought up, so that whoever asks waits for little. */
const FOLLOW_MS = 60_000

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([months, places] as never)
  const followed = openMonths(documents, here.call)
  const reports = openReports({ documents, months: followed, call: here.call, now: here.clock.now })
  const following = repeated(FOLLOW_MS, here.log, 'bringing statements up to the journal', followed.catchUp)
  const thisMonth = () => monthOf(here.clock.now())

  return {
    actions: {
      month: ({ caller, params: { month = thisMonth(), currency = DEFAULT_CURRENCY } }) =>
        reports.month({ seller: caller.id, currency, month }),
      printMonth: async ({ caller, params: { month = thisMonth(), currency = DEFAULT_CURRENCY } }) =>
        monthPaper(await reports.month({ seller: caller.id, currency, month }), caller.username),
      year: ({ caller, params: { year, currency = DEFAULT_CURRENCY } }) =>
        reports.year({ seller: caller.id, currency, year }),
      printYear: async ({ caller, params: { year, currency = DEFAULT_CURRENCY } }) =>
        yearPaper(await reports.year({ seller: caller.id, currency, year }), caller.username),
      ofPayout: ({ caller, params: { id } }) => reports.payout(id, caller.id),
      printPayout: async ({ caller, params: { id } }) =>
        payoutPaper(await reports.payout(id, caller.id), caller.username),
      sellers: async ({ params: { year, limit = LIMIT_DEFAULT, cursor } }) => {
        const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString()
        if (!/^[A-Za-z0-9_-]{0,64}$/.test(after)) throw refuse('bad_cursor')
        const { data, next } = await reports.sellers({ year, limit, after })
        return { data, nextCursor: next && Buffer.from(next).toString('base64url') }
      },
      balanceAt: ({ params }) => reports.balanceAt(params),
    },
    started: async () => following.start(),
    stopped: () => following.stop(),
  }
})
