// May this be said to the other? Judged before a message is stored: it passes, is flagged (shown, and looked at later), is
// masked (contact details give way to a marker) or is held until a moderator decides. Pure, and cheap for ordinary text:
// the rules about contacts look only at what could be one.
import { contactsIn, phonesIn, type Contact } from './contact.ts'
import { normal, unleeted } from './normal.ts'
import { abuseIn, bannedClassesIn, type Abuse } from './words.ts'

export type Outcome = 'pass' | 'flag' | 'mask' | 'hold'
/** `text` is what to store: differs from what was said only where something was masked. */
export type Judgement = { outcome: Outcome; text: string; masked: boolean; reasons: readonly string[] }
export type Policy = {
  contacts: Readonly<Record<Contact, 'pass' | 'flag' | 'mask'>>
  abuse: Readonly<Record<Abuse, 'flag' | 'hold'>>
  /** What may not be offered is no crime to mention; a gig about it is refused. */
  banned: 'pass' | 'flag' | 'hold'
}

/** Stands where contact details were. */
export const MASK = '[contact details removed]'
/** Between any two people. A link to another site is how work is shown; one to a messenger counts as a messenger. */
export const TALKING: Policy = {
  contacts: {
    'an e-mail address': 'mask',
    'a phone number': 'mask',
    'a messenger contact': 'mask',
    'a link to another site': 'pass',
  },
  abuse: { 'a threat': 'hold', hatred: 'hold', 'sexual harassment': 'hold', 'an insult': 'flag' },
  banned: 'flag',
}

/** From the lightest; the gravest that applies is the outcome. */
const GRAVITY: readonly Outcome[] = ['pass', 'flag', 'mask', 'hold']

export const judge = (said: string, policy: Policy = TALKING): Judgement => {
  const plain = plainOf(said)
  const unhidden = unleeted(plain)
  const looks = unhidden === plain ? [plain] : [plain, unhidden]
  const abuse = looks.flatMap(abuseIn)
  const banned = looks.flatMap(bannedClassesIn)
  const contacts = contactsSaid(plain)
  if (abuse.length + banned.length + contacts.length === 0)
    return { outcome: 'pass', text: said, masked: false, reasons: [] }
  const outcomes: Outcome[] = [
    ...abuse.map((one) => policy.abuse[one]),
    ...banned.map(() => policy.banned),
    ...contacts.map((one) => policy.contacts[one]),
  ]
  const outcome = GRAVITY.findLast((one) => outcomes.includes(one)) ?? 'pass'
  const isMasked = outcomes.includes('mask')
  return {
    outcome,
    text: isMasked ? maskedIn(said, policy) : said,
    masked: isMasked,
    reasons: outcome === 'pass' ? [] : [...new Set<string>([...abuse, ...banned, ...contacts])],
  }
}

const plainOf = (said: string): string => (ASCII.test(said) ? said.toLowerCase() : normal(said))
// oxlint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/

/**
 * Every contact has one of these: an @, an at in brackets or spoken, a site's dot or slashes, eight digits in a row, a
 * messenger's name, a tag. Where none is, the rules about contacts need not be asked.
 */
const MAYBE_CONTACT =
  /@|[([{]\s*a\s*t|\bat [a-z0-9-]{2,63} dot |:\/\/|[a-z0-9-]\.[a-z0-9]|\d(?:[ ().-]{0,30}\d){7}|#\d{4}|\b(?:whats ?app|telegram|skype|discord|wechat|viber|snapchat|messenger|instagram|facebook|imo|line|signal|zalo)/

/** An order#1234 is nobody's handle. */
const NUMBERED =
  /\b(?:order|invoice|ticket|issue|case|item|gig|ref|number|bug|task|draft|version|page|room|part)#\d{4}\b/g
/** Where nobody speaks of Discord, a word with four digits is a number of something. */
const TAGGED = /\b[a-z0-9._]{2,32}#\d{4}\b/g
const MESSENGER_LINK = /\b(?:t\.me|wa\.me|discord\.gg|m\.me)\/[a-z0-9]/

const contactsSaid = (plain: string): Contact[] => {
  if (!MAYBE_CONTACT.test(plain)) return []
  const text = plain.replace(plain.includes('discord') ? NUMBERED : TAGGED, ' ')
  const found = contactsIn(text).filter((one) => one !== 'a phone number' || isCallable(text))
  return MESSENGER_LINK.test(text) && !found.includes('a messenger contact') ? [...found, 'a messenger contact'] : found
}

/**
 * Digits are more often an order, an amount, a time or an id: they are a number to call if the words say so, or where they
 * are written as only such numbers are. What is masked cannot be had back, so a doubtful one stays.
 */
const isCallable = (text: string): boolean => {
  const runs = phonesIn(text)
  return runs.length > 0 && (CALLING.test(text) || runs.some((run) => /^[+(]/.test(run)))
}
const CALLING =
  /\b(?:call|phone|tel|mobile|cell|sms|ring me|text me|reach me|my number|whats ?app|telegram|signal|viber)\b/

/** Whole lines give way where a contact cannot be cut out of them; what is left has none. */
const maskedIn = (said: string, policy: Policy): string => {
  const isClean = (text: string) => contactsSaid(plainOf(text)).every((one) => policy.contacts[one] !== 'mask')
  const cut = cutOut(said)
  if (isClean(cut)) return cut
  const lines = cut
    .split('\n')
    .map((line) => (isClean(line) ? line : MASK))
    .join('\n')
  return isClean(lines) ? lines : MASK
}

const cutOut = (said: string): string => {
  const cut = CUTS.reduce((text, pattern) => text.replace(pattern, MASK), said)
  return isCallable(plainOf(said)) ? cut.replace(NUMBER, (run) => (phonesIn(run).length > 0 ? MASK : run)) : cut
}
/** Contacts as they are usually written, with nothing hidden. */
const CUTS: readonly RegExp[] = [
  /[a-z0-9][a-z0-9._%+-]{0,63}\s?(?:@|[([{]\s?at\s?[)\]}])\s?(?:[a-z0-9-]{1,63}\s?(?:\.|[([{]\s?dot\s?[)\]}])\s?){1,4}[a-z]{2,24}/gi,
  /[a-z0-9._-]{2,64} at [a-z0-9-]{2,63} dot [a-z]{2,24}/gi,
  /(?:https?:\/\/)?\b(?:t\.me|wa\.me|discord\.gg|m\.me)\/\S{1,100}/gi,
  /\b(?:whats ?app|telegram|skype|discord|wechat|viber|snapchat|zalo)(?: (?:id|handle|username|number|name|me))?(?: is)? ?[:=@#-] ?@?[a-z0-9+][a-z0-9._+-]{3,40}/gi,
  /\bmy (?:whats ?app|telegram|skype|discord|wechat|viber|snapchat|zalo)(?: (?:id|handle|number|username|name))? is \S{1,64}/gi,
  /\b[a-z0-9._]{2,32}#\d{4}\b/gi,
]
const NUMBER = /(?<![\d#])(?:\+|00)?\(?\d[\d ().-]{6,30}\d(?!\d)/g
