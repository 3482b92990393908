// The accounts everybody may sign in with while the money is play money. Fixed ids: making them twice makes them once.
import type { Call } from '../../../mixins/node.ts'
import type { Role } from '../../shapes.ts'

export const DEMO_PASSWORD = 'demo-password'
type DemoAccount = { id: string; username: string; displayName: string; roles: Role[] }
export const demoAccounts: readonly DemoAccount[] = [
  { id: 'usr_0000000000demobuyer0000000', username: 'buyer', displayName: 'Bela Buyer', roles: ['buyer'] },
  { id: 'usr_0000000000demoseller000000', username: 'seller', displayName: 'Sana Seller', roles: ['buyer', 'seller'] },
  {
    id: 'usr_0000000000demoadmin0000000',
    username: 'admin',
    displayName: 'Ada Admin',
    roles: ['buyer', 'moderator', 'admin'],
  },
]

export const ensureAccounts = async (call: Call): Promise<void> => {
  for (const { id, username, displayName, roles } of demoAccounts)
    await call('account.ensure', {
      id,
      email: `${username}@demo.test`,
      password: DEMO_PASSWORD,
      username,
      displayName,
      roles,
    })
}
