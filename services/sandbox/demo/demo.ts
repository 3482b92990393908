// The demo at a sandbox's first start: people first, then gigs, then a story. Each part is marked when it is done, so that
// a restart does not repeat it and a crash does not leave it half done.
import type { Doc, Documents } from '../../../adapters/documents/index.ts'
import { collection } from '../../../adapters/documents/index.ts'
import type { Here } from '../../../mixins/service.ts'
import { ensureAccounts } from './accounts.ts'
import { seedGigs } from './seeding.ts'
import { tellStory } from './story.ts'

export const GIGS = 320
type Mark = Doc & { at: number }
const marks = collection<Mark>('demo_marks')

type Part = { name: string; needs: string[]; make(here: Here): Promise<unknown> }
const ACCOUNTS: Part = { name: 'accounts', needs: ['account'], make: ({ call }) => ensureAccounts(call) }
const GIGS_PART: Part = {
  name: 'gigs',
  needs: ['account', 'gig', 'search', 'review'],
  make: ({ call, clock }) => seedGigs(call, GIGS, clock.now()),
}
const STORY: Part = {
  name: 'story',
  needs: ['account', 'gig', 'chat', 'order', 'payment', 'ledger', 'review'],
  make: ({ call, clock }) => tellStory(call, clock.now()),
}

/** Resolves when the market has something to show; the story is told behind it. */
export const demonstrate = async (here: Here): Promise<void> => {
  const documents = await here.open('documents')
  await documents.declare([marks] as never)
  await once(here, documents, ACCOUNTS)
  if (!here.settings.demo) return
  await once(here, documents, GIGS_PART)
  void once(here, documents, STORY).catch((error: unknown) => here.log.warn('the demo story could not be told:', error))
}

const once = async (here: Here, documents: Documents, { name, needs, make }: Part): Promise<void> => {
  if (await documents.get(marks, name)) return
  await here.broker.waitForServices(needs, 0, 20)
  await make(here)
  await documents.insert(marks, { id: name, version: 1, at: here.clock.now() })
}
