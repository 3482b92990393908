// Moderation: looks at every gig before others do, and answers the gig with a decision and its reasons; keeps the messages
// that a rule found something about until a moderator has decided.
import { service } from '../../mixins/service.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { moderation as contract } from './contract.ts'
import { reasonsAgainst } from './rules.ts'
import { decided, publicSuspect, suspected, suspects } from './suspects.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([suspects] as never)
  return {
    actions: {
      suspects: async ({ params: { limit = LIMIT_DEFAULT, cursor = null } }) => {
        const { docs, next } = await documents.find(suspects, { index: 'byWaiting', limit, cursor })
        return { data: docs.map(publicSuspect), nextCursor: next }
      },
      release: ({ params: { message }, call }) => decided(documents, call, message, 'released'),
      remove: ({ params: { message }, call }) => decided(documents, call, message, 'removed'),
    },
    hears: {
      // Heard twice it decides twice alike, and the gig takes only the first.
      'gig.submitted': async ({ data: { id, version, content }, call }) => {
        const reasons = reasonsAgainst(content)
        await call('gig.decide', { id, version, approved: reasons.length === 0, reasons })
      },
      'message.suspected': (event) => suspected(documents, event),
    },
  }
})
