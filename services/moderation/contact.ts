// Finds ways around the platform in a text: e-mail addresses, phone numbers, messenger handles, links. Pure; takes text
// that `normal` made. Each pattern has bounds, so that no text makes it slow.

export type Contact = 'an e-mail address' | 'a phone number' | 'a messenger contact' | 'a link to another site'

export const contactsIn = (text: string): Contact[] =>
  DETECTORS.filter(([, finds]) => finds(text)).map(([contact]) => contact)

const MAIL = /[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,4}(?!(?:png|jpe?g|gif|svg|webp|avif)\b)[a-z]{2,24}/
const BRACKETED_MAIL =
  /[a-z0-9][a-z0-9._%+-]{0,63}\s?(?:@|[([{]\s?at\s?[)\]}])\s?[a-z0-9-]{1,63}\s?(?:[([{]\s?dot\s?[)\]}]|(?<=[([{]\s?at\s?[)\]}]\s?[a-z0-9-]{1,63})\.)\s?[a-z]{2,24}/
const SPOKEN_MAIL = /[a-z0-9._-]{2,64} at [a-z0-9-]{2,63} dot (?:com|net|org|io|me|co|de|uk|fr)(?![a-z])/
/** Letters apart: j o h n @ g m a i l . c o m */
const PROVIDER_MAIL =
  /[a-z0-9._-]{2,64}(?:@|\(at\)|\[at\])(?:gmail|yahoo|hotmail|outlook|proton(?:mail)?|icloud|gmx)(?:\.|\(dot\)|\[dot\])[a-z]{2}/

const hasMail = (text: string): boolean =>
  MAIL.test(text) || BRACKETED_MAIL.test(text) || SPOKEN_MAIL.test(text) || PROVIDER_MAIL.test(text.replace(/\s+/g, ''))

// Read as whole runs of digits and separators; what is known to be something else is taken out first.
const NOT_PHONES = [
  /(?<![\d.-])\d{4}[./-]\d{1,2}[./-]\d{1,2}(?![./-]?\d)/g, // 2026-01-31
  /(?<![\d.-])\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}(?![./-]?\d)/g, // 31.01.2026
  /(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![.\d])/g, // 192.168.100.200
  /(?:[$€£¥₹]|\b(?:usd|eur|gbp|isbn(?:-1[03])?:?))\s?\d[\d ,.-]{0,20}/g, // $1 000 000 000
  /(?<![\d.])\d{1,3}(?: 000){1,4}(?! ?\d)/g, // 10 000 000
  /(?<!\d)\d{3,5} ?[x×] ?\d{3,5}(?!\d)/g, // 1920x1080
  /(?<!\d)(?:19|20)\d{2}(?:[ -]{1,3}(?:19|20)\d{2})+(?!\d)/g, // 2019 - 2026
]
const DIGIT_RUN = /(?<![\d#])(?:\+|00)?\(?\d[\d ().-]{6,30}\d(?!\d)/g
const DIGITS_MIN = 9
const DIGITS_MIN_INTERNATIONAL = 8
const DIGITS_MAX = 15

/** Runs of digits as a person writes a number to call. */
export const phonesIn = (text: string): string[] => {
  const left = NOT_PHONES.reduce((rest, pattern) => rest.replace(pattern, ' | '), text)
  return (left.match(DIGIT_RUN) ?? []).filter((run) => {
    const digits = run.replace(/\D/g, '').length
    return digits >= (run.startsWith('+') ? DIGITS_MIN_INTERNATIONAL : DIGITS_MIN) && digits <= DIGITS_MAX
  })
}
const hasPhone = (text: string): boolean => phonesIn(text).length > 0

const MESSENGER =
  'whats ?app|telegram|skype|discord|wechat|viber|snapchat|messenger|instagram|facebook|imo|line|signal|zalo'
const ASKED_TO_WRITE = new RegExp(
  `\\b(?:contact|message|text|add|reach|dm|pm|write|ping|call|find|chat with|talk to) (?:to )?(?:me|us)\\b[^.!?\\n]{0,24}\\b(?:on|at|via|through|in|over|by|using) (?:my |our )?(?:${MESSENGER})\\b`,
)
const HANDLE = new RegExp(
  `\\b(?:whats ?app|telegram|skype|discord|wechat|viber|snapchat|zalo)(?: (?:id|handle|username|number|name|me))?(?: is)? ?[:=@#-] ?@?[a-z0-9+][a-z0-9._+-]{3,40}`,
)
const MY_MESSENGER =
  /\bmy (?:whats ?app|telegram|skype|discord|wechat|viber|snapchat|zalo)(?: (?:id|handle|number|username|name))? is\b/
const DISCORD_TAG = /\b[a-z0-9._]{2,32}#\d{4}\b/

const hasMessenger = (text: string): boolean =>
  [ASKED_TO_WRITE, HANDLE, MY_MESSENGER, DISCORD_TAG].some((pattern) => pattern.test(text))

const ADDRESS = /\b(?:https?:\/\/|www\.)[a-z0-9-]{1,63}\.[a-z0-9]/
const SHORT_LINK = /\b(?:t\.me|wa\.me|discord\.gg|bit\.ly|tinyurl\.com|linktr\.ee|m\.me|goo\.gl)\/[a-z0-9]/
const DOMAIN =
  /(?<![a-z0-9@.-])([a-z0-9][a-z0-9-]{1,62}\.(?:com|net|org|info|biz|co|ru|de|me|shop|site|online|xyz))(?![a-z0-9-]|\.[a-z])(\/[a-z0-9])?/g
/** Products that gigs are about; naming them leads nobody away. A path behind them does. */
const PRODUCTS = new Set([
  'amazon.com',
  'wordpress.com',
  'wordpress.org',
  'booking.com',
  'monday.com',
  'asp.net',
  'vb.net',
  'ado.net',
  'ml.net',
  'etsy.com',
  'ebay.com',
  'shopify.com',
  'wix.com',
  'squarespace.com',
  'webflow.com',
  'salesforce.com',
  'make.com',
  'cal.com',
  'authorize.net',
  'openai.com',
  'godaddy.com',
  'airbnb.com',
  'upwork.com',
  'fiverr.com',
  'envato.com',
  'canva.com',
  'linkedin.com',
  'facebook.com',
  'instagram.com',
  'youtube.com',
  'medium.com',
  'archive.org',
])

const hasLink = (text: string): boolean =>
  ADDRESS.test(text) ||
  SHORT_LINK.test(text) ||
  [...text.matchAll(DOMAIN)].some(([, domain, path]) => path !== undefined || !PRODUCTS.has(domain!))

const DETECTORS: readonly (readonly [Contact, (text: string) => boolean])[] = [
  ['an e-mail address', hasMail],
  ['a phone number', hasPhone],
  ['a messenger contact', hasMessenger],
  ['a link to another site', hasLink],
]
