// What an entry is in words. One of a kind that has none is shown by its name.
const WORDS: Readonly<Record<string, string>> = {
  complete: 'Order completed',
  tip: 'Tip',
  clear: 'Cleared',
  refund: 'Given back to the buyer',
  hold: 'Held',
  reserve: 'Set aside for a payout',
  release: 'Payout not sent, available again',
  payout_paid: 'Paid out',
  payout_failed: 'Payout failed, available again',
  payout_returned: 'Payout sent back by the bank, available again',
}
export const wordOf = (kind: string): string => WORDS[kind] ?? kind.replaceAll('_', ' ')
