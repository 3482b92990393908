// Moderation: may this be seen? A first set of rules decides by itself and gives its reasons.
import { contract } from '../../mixins/contract.ts'

export { judge, MASK, TALKING, type Judgement, type Outcome } from './talk.ts'

export const moderation = contract({ name: 'moderation', actions: {}, events: {}, hears: ['gig.submitted'] })
