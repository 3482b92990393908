// HTML by template: whatever is put in is escaped, unless it is HTML that this tag made.

export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
type Value = Html | string | number | false | null | undefined | readonly Value[]

export const html = (parts: TemplateStringsArray, ...values: Value[]): Html => {
  let text = parts[0]!
  for (let at = 0; at < values.length; at++) text += shown(values[at]) + parts[at + 1]!
  return new Html(text)
}

const shown = (value: Value): string => {
  if (value === false || value === null || value === undefined) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(shown).join('')
  return escaped(String(value))
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)

/** Text of several paragraphs. */
export const paragraphs = (text: string): Html => html`${text.split(/\n{2,}/).map((one) => html`<p>${one}</p>`)}`
