// Privacy. Key: the person. An export asks every actor as the person would; an erasure is stored first and then carried to
// every actor, however often a process falls on the way.
import type { Call } from '../../mixins/node.ts'
import { service, type Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { EXPORTS_AT_ONCE, privacy as contract } from './contract.ts'
import { begun, erasures, forgetEverywhere, inTheWay } from './erasure.ts'
import { exported, type Ask } from './export.ts'

export default service(contract, async (here) => {
  const book = await here.actor({ of: erasures })
  const underWay = new Set<string>()

  const exportOf = async ({ caller, call }: Ctx<(typeof contract)['actions']['export']>) => {
    if (underWay.size >= EXPORTS_AT_ONCE || underWay.has(caller.id))
      throw refuse('overloaded', 'exports are under way already', { retryAfterSeconds: 10 })
    underWay.add(caller.id)
    try {
      return await exported(call as Ask, caller.id, here.clock.now())
    } finally {
      underWay.delete(caller.id)
    }
  }

  const erase = async ({ caller, call, deadlineAt }: Ctx<(typeof contract)['actions']['erase']>) => {
    const errors = await inTheWay(call as Ask, caller)
    if (errors.length > 0)
      throw refuse('conflict', `this account cannot be deleted yet: ${errors[0]!.message}`, { errors })
    await book.turn(caller.id, (known, now) => begun(known, caller.id, now), {
      deadlineAt,
      settle: [contract.name],
    })
    // Whatever else takes its time: nobody is answered who could still sign in.
    await (here.call as Call)('account.erase', { id: caller.id })
    return {}
  }

  return {
    actions: { export: exportOf, erase },
    hears: { 'privacy.erasing': ({ data: { user }, call }) => forgetEverywhere(call, user) },
  }
})
