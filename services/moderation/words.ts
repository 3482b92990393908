// What may not be offered, by class: words and phrases looked up as whole words in text that `normal` made. Phrases
// rather than words wherever an honest gig uses the word too.

const BANNED: Readonly<Record<string, readonly string[]>> = {
  'illegal drugs': [
    'cocaine',
    'heroin',
    'crystal meth',
    'methamphetamine',
    'fentanyl',
    'mdma',
    'buy weed',
    'sell weed',
    'lsd tabs',
  ],
  weapons: [
    'ghost gun',
    'ghost guns',
    'untraceable gun',
    'untraceable guns',
    'buy ammo',
    'pipe bomb',
    'bomb making',
    'gun without license',
  ],
  'forged documents or money': [
    'fake id',
    'fake ids',
    'fake passport',
    'fake passports',
    'fake diploma',
    'fake diplomas',
    'fake degree',
    'fake driving license',
    'forged documents',
    'counterfeit money',
    'counterfeit bills',
    'novelty passport',
    'fake bank statement',
    'fake bank statements',
    'fake utility bill',
  ],
  fraud: [
    'stolen credit card',
    'stolen credit cards',
    'carding',
    'cvv dumps',
    'fullz',
    'money laundering service',
    'launder money',
    'launder your money',
    'ponzi scheme',
    'hacked accounts',
    'stolen accounts',
    'phishing page',
    'phishing pages',
    'phishing kit',
    'fake reviews',
    'buy reviews',
    'fake five star reviews',
    'paid positive reviews',
    'double your money',
  ],
  'breaking into systems': [
    'ddos attack',
    'ddos service',
    'hack facebook',
    'hack instagram',
    'hack whatsapp',
    'hack gmail',
    'hack someone',
    'hack any account',
    'hack accounts',
    'hack into',
    'crack passwords for you',
    'sell ransomware',
    'keylogger for',
    'botnet rental',
    'spy on your',
  ],
  'sexual services': [
    'porn video',
    'porn videos',
    'escort service',
    'escort services',
    'sexual services',
    'send nudes',
    'sell nudes',
    'sex chat',
    'cam girl',
    'sugar baby',
  ],
  'academic cheating': [
    'take your exam',
    'take the exam for you',
    'sit your exam',
    'do your homework',
    'write your thesis for you',
    'write your dissertation for you',
    'complete your assignment for you',
  ],
  hatred: ['white supremacy', 'white power', 'ethnic cleansing', 'gas the', 'race war', 'heil hitler'],
}

/** What may be honest work or not: a person looks before others see it. */
const DOUBTFUL: Readonly<Record<string, readonly string[]>> = {
  gambling: ['online casino', 'casino script', 'betting tips', 'sports betting', 'slot machine hack', 'poker bot'],
  'promises of profit': [
    'guaranteed profit',
    'guaranteed profits',
    'guaranteed returns',
    'forex signals',
    'trading signals',
    'passive income guaranteed',
  ],
  'bought popularity': [
    'buy followers',
    'real followers',
    'instagram followers',
    'tiktok followers',
    'youtube subscribers',
    'telegram members',
    'instagram likes',
    'google reviews',
  ],
  'adult content': ['adult content', 'nsfw', 'onlyfans', 'erotic', 'hentai'],
  'magic and healing': ['love spell', 'love spells', 'black magic', 'miracle cure', 'cure cancer'],
}

/** What nobody has to read from anybody. Phrases, for a word alone may be quoted, a name, or about something else. */
const ABUSE = {
  'a threat': [
    'i will kill you',
    "i'll kill you",
    'gonna kill you',
    'going to kill you',
    'kill yourself',
    'kys',
    'you deserve to die',
    'hope you die',
    'i will hurt you',
    "i'll hurt you",
    'i know where you live',
    'slit your throat',
    'burn your house',
    'beat you up',
  ],
  hatred: [
    'white supremacy',
    'white power',
    'ethnic cleansing',
    'gas the jews',
    'race war',
    'heil hitler',
    'subhuman scum',
    'nigger',
    'niggers',
    'faggot',
    'faggots',
  ],
  'sexual harassment': [
    'rape you',
    'send nudes',
    'send me nudes',
    'send me your nudes',
    'suck my dick',
    'show me your tits',
    'i want to fuck you',
    'wanna fuck you',
    'sex with me',
  ],
  'an insult': [
    'fuck you',
    'fuck off',
    'piece of shit',
    'you idiot',
    'you are an idiot',
    "you're an idiot",
    'you moron',
    'stupid bitch',
    'asshole',
    'go to hell',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>
export type Abuse = keyof typeof ABUSE

export const doubtsIn = (text: string): string[] => DOUBTFUL_IN(text)
export const bannedClassesIn = (text: string): string[] => BANNED_IN(text)
export const abuseIn = (text: string): Abuse[] => ABUSE_IN(text) as Abuse[]

/** One look for any phrase at all comes before the looks for each class: most texts have none. */
const finder = (lists: Readonly<Record<string, readonly string[]>>): ((text: string) => string[]) => {
  const any = wholeWords(Object.values(lists).flat())
  const classes = Object.entries(lists).map(([name, phrases]) => [name, wholeWords(phrases)] as const)
  return (text) => (any.test(text) ? classes.filter(([, pattern]) => pattern.test(text)).map(([name]) => name) : [])
}

const wholeWords = (phrases: readonly string[]): RegExp => {
  const words = phrases.map((phrase) => phrase.replaceAll(' ', '[\\s_-]{1,3}').replaceAll("'", "['\u2019]?"))
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join('|')})(?![\\p{L}\\p{N}])`, 'u')
}

const DOUBTFUL_IN = finder(DOUBTFUL)
const BANNED_IN = finder(BANNED)
const ABUSE_IN = finder(ABUSE)
