// The audit log. Key: there is one log, `main`. The gateway records what admins ask for before it is done; what changes who
// may do what is heard durably.
import { service } from '../../mixins/service.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { audit as contract } from './contract.ts'
import { auditEntries, openLog } from './log.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([auditEntries] as never)
  const log = openLog(documents, () => here.clock.now())
  return {
    actions: {
      list: async ({ params: { actor, target, limit = LIMIT_DEFAULT, cursor = null } }) => {
        const [page, head] = await Promise.all([log.page({ actor, target, limit, cursor }), log.head()])
        return { ...page, head }
      },
      verification: () => log.verify(),
      verify: () => log.verify(),
      record: async ({ params: { id, entry }, deadlineAt }) => ({ seq: await log.append(id, entry, deadlineAt) }),
    },
    hears: {
      'account.secured': async ({ id, data: { user, change, by, data }, call }) => {
        const entry = { kind: 'event' as const, actor: by, action: `account.${change}`, target: user, data }
        await call('audit.record', { log: 'main', id, entry })
      },
      'moderation.decided': async ({ id, data, call }) => {
        const { target, by, verdict, case: about, owner, reason } = data
        const said = { case: about, type: target.type, owner, reason }
        const entry = {
          kind: 'event' as const,
          actor: by,
          action: `moderation.${verdict}`,
          target: target.id,
          data: said,
        }
        await call('audit.record', { log: 'main', id, entry })
      },
    },
    load: () => [{ kind: 'audit', ...log.size() }],
    stopped: () => log.stop(),
  }
})
