// Statements as pages to print: one A4 column, no script, nothing from elsewhere. Whatever is put in is escaped.
import type { Money } from '../shapes.ts'
import type { MonthStatement, PayoutStatement, StatementLine, StatementTotals, YearStatement } from './contract.ts'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)

const STYLE = `@page { size: A4; margin: 18mm }
body { font: 10.5pt/1.45 system-ui, sans-serif; color: #111; max-width: 174mm; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 16pt; margin: 0 0 .25rem } p { margin: .25rem 0 1rem; color: #444 }
table { width: 100%; border-collapse: collapse; margin: 0 0 1.25rem; page-break-inside: auto }
caption { text-align: left; font-weight: 600; padding: .25rem 0 } tr { page-break-inside: avoid }
th, td { text-align: left; padding: .2rem .4rem; border-bottom: 1px solid #ddd; vertical-align: top }
th { font-weight: 600; color: #444 } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
@media print { body { margin: 0; padding: 0 } }`

/** Minor units in the currency's own decimals. */
export const worded = ({ amount, currency }: Money): string => {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: currency.toUpperCase() })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(amount / 10 ** digits)
}

type Row = readonly (string | Money)[]
const cell = (value: string | Money): string =>
  typeof value === 'string' ? `<td>${escaped(value)}</td>` : `<td class="n">${escaped(worded(value))}</td>`
const table = (caption: string, head: readonly string[], rows: readonly Row[]): string =>
  `<table><caption>${escaped(caption)}</caption><thead><tr>${head
    .map(
      (name, at) =>
        `<th scope="col"${at > 0 && typeof rows[0]?.[at] === 'object' ? ' class="n"' : ''}>${escaped(name)}</th>`,
    )
    .join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('')}</tbody></table>`

const paper = (title: string, about: string, parts: readonly string[]): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style></head><body><h1>${escaped(title)}</h1><p>${escaped(about)}</p>${parts.join('')}</body></html>`

const dateOf = (at: string): string => at.slice(0, 10)
const aboutOf = ({ about }: StatementLine): string =>
  ['order', 'tip', 'payout', 'refund', 'dispute'].flatMap((name) => (about[name] ? [about[name]] : [])).join(' ')

const linesTable = (lines: readonly StatementLine[], currency: string, complete: boolean): string => {
  const money = (amount: number): Money => ({ amount, currency })
  const rows = lines.map((line): Row => [
    dateOf(line.at),
    `${line.text} ${aboutOf(line)}`.trim(),
    money(line.clearing),
    money(line.available),
    money(line.inPayout),
    money(line.held),
  ])
  const head = ['Date', 'What', 'Clearing', 'Available', 'In payout', 'Held']
  return `${table('Lines', head, rows)}${complete ? '' : '<p>There are more lines than are shown; the sums are of all.</p>'}`
}

const totalsRows = (totals: StatementTotals): Row[] => [
  [`Orders completed (${totals.orders}) and tips, before commission`, totals.gross],
  ['Commission of the market', { ...totals.commission, amount: 0 - totals.commission.amount }],
  ['Earned', totals.earned],
  ['Tips', totals.tips],
  ['Given back', { ...totals.refunds, amount: 0 - totals.refunds.amount }],
  ['Other', totals.other],
  ['Paid out', totals.paidOut],
]

export const monthPaper = (statement: MonthStatement, name: string): string => {
  const { month, currency, asOf, opening, closing, totals, lines, complete } = statement
  const balances = (['clearing', 'available', 'inPayout', 'held'] as const).map((part): Row => [
    { clearing: 'Clearing', available: 'Available', inPayout: 'In payout', held: 'Held' }[part],
    opening[part],
    closing[part],
  ])
  return paper(
    `Statement ${month}`,
    `${name} (${statement.seller}), ${currency.toUpperCase()}, as of ${dateOf(asOf)}`,
    [
      table('Balances', ['Balance', 'Before', 'After'], balances),
      table('Sums', ['What', 'Amount'], totalsRows(totals)),
      linesTable(lines, currency, complete),
    ],
  )
}

export const yearPaper = (statement: YearStatement, name: string): string => {
  const { year, currency, asOf, quarters, totals, consideration, seller } = statement
  const rows = quarters.map((one): Row => [
    `${one.quarter}`,
    `${one.totals.orders}`,
    one.consideration,
    one.totals.commission,
    one.totals.paidOut,
  ])
  rows.push(['Year', `${totals.orders}`, consideration, totals.commission, totals.paidOut])
  const head = ['Quarter', 'Orders', 'Paid or credited', 'Commission', 'Paid out']
  return paper(`Year ${year}`, `${name} (${seller}), ${currency.toUpperCase()}, as of ${dateOf(asOf)}`, [
    table('By quarters', head, rows),
    table('Sums of the year', ['What', 'Amount'], totalsRows(totals)),
  ])
}

export const payoutPaper = (statement: PayoutStatement, name: string): string => {
  const { payout, seller, amount, status, reservedAt, opening, closing, lines, complete, provider } = statement
  const rows: Row[] = [
    ['Available before', opening],
    ['Paid out', amount],
    ['Available after', closing],
  ]
  const names = Object.entries(provider).map(([what, id]) => `${what} ${id}`)
  return paper(
    `Payout of ${worded(amount)}`,
    `${name} (${seller}), ${payout}, ${dateOf(reservedAt)}, ${status} ${names.join(', ')}`,
    [table('Sums', ['What', 'Amount'], rows), linesTable(lines, amount.currency, complete)],
  )
}
