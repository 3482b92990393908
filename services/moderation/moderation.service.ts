// Moderation: looks at every gig before others do, and answers the gig with a decision and its reasons.
import { service } from '../../mixins/service.ts'
import { moderation as contract } from './contract.ts'
import { reasonsAgainst } from './rules.ts'

export default service(contract, () => ({
  actions: {},
  hears: {
    // Heard twice it decides twice alike, and the gig takes only the first.
    'gig.submitted': async ({ data: { id, version, content }, call }) => {
      const reasons = reasonsAgainst(content)
      await call('gig.decide', { id, version, approved: reasons.length === 0, reasons })
    },
  },
}))
