// Text as a reader sees it, whatever it is made of: what hides words from a rule is undone before the rule looks. Pure.

/** Letters of other scripts that look like Latin ones. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  а: 'a',
  в: 'b',
  с: 'c',
  е: 'e',
  һ: 'h',
  і: 'i',
  ј: 'j',
  к: 'k',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  ԛ: 'q',
  ѕ: 's',
  т: 't',
  у: 'y',
  х: 'x',
  ԝ: 'w',
  α: 'a',
  β: 'b',
  ε: 'e',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  ı: 'i',
  ɡ: 'g',
  ԁ: 'd',
  ո: 'n',
}
const LOOKALIKE = new RegExp(`[${Object.keys(LOOKALIKES).join('')}]`, 'g')
/** Zero-width and soft characters that split a word for a machine but not for an eye. */
const INVISIBLE = /[\p{Cf}\u115f\u1160\u3164\uffa0]/gu
const MARKS = /\p{M}/gu

/** Compatibility forms folded, invisible characters and accents gone, look-alikes Latin, lower case. */
export const normal = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .normalize('NFD')
    .replace(MARKS, '')
    .toLowerCase()
    .replace(LOOKALIKE, (letter) => LOOKALIKES[letter]!)

const LEET: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's' }

/** Digits and signs that stand for letters, as in c0caine: only for looking up words. */
export const unleeted = (normalText: string): string => normalText.replace(/[013457@$]/g, (sign) => LEET[sign]!)
