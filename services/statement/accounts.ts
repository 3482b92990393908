// A seller's accounts in the ledger, by the names the seller knows them by.
export type Balance = 'clearing' | 'available' | 'inPayout' | 'held'
const KINDS: Readonly<Record<string, Balance>> = {
  clearing: 'clearing',
  available: 'available',
  in_payout: 'inPayout',
  held: 'held',
}

/** Whose balance an account is; null for accounts that are nobody's balance. */
export const balanceNamed = (account: string): { seller: string; balance: Balance } | null => {
  const colon = account.indexOf(':')
  const balance = colon < 0 ? undefined : KINDS[account.slice(0, colon)]
  return balance ? { seller: account.slice(colon + 1), balance } : null
}
export const accountsOf = (seller: string): string[] => Object.keys(KINDS).map((kind) => `${kind}:${seller}`)
