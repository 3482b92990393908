// What may not be offered, by class: words and phrases looked up as whole words in text that `normal` made. Phrases
// rather than words wherever an honest gig uses the word too.

const BANNED: Readonly<Record<string, readonly string[]>> = {
  'illegal drugs': ['cocaine', 'heroin', 'crystal meth', 'methamphetamine', 'fentanyl', 'mdma', 'buy weed', 'sell weed', 'lsd tabs'],
  weapons: ['ghost gun', 'ghost guns', 'untraceable gun', 'untraceable guns', 'buy ammo', 'pipe bomb', 'bomb making', 'gun without license'],
  'forged documents or money': [
    'fake id', 'fake ids', 'fake passport', 'fake passports', 'fake diploma', 'fake diplomas', 'fake degree', 'fake driving license', 'forged documents',
    'counterfeit money', 'counterfeit bills', 'novelty passport', 'fake bank statement', 'fake bank statements', 'fake utility bill',
  ],
  fraud: [
    'stolen credit card', 'stolen credit cards', 'carding', 'cvv dumps', 'fullz', 'money laundering service', 'launder money', 'launder your money', 'ponzi scheme', 'hacked accounts',
    'stolen accounts', 'phishing page', 'phishing pages', 'phishing kit', 'fake reviews', 'buy reviews', 'fake five star reviews', 'paid positive reviews', 'double your money',
  ],
  'breaking into systems': [
    'ddos attack', 'ddos service', 'hack facebook', 'hack instagram', 'hack whatsapp', 'hack gmail', 'hack someone', 'hack any account', 'hack accounts', 'hack into',
    'crack passwords for you', 'sell ransomware', 'keylogger for', 'botnet rental', 'spy on your',
  ],
  'sexual services': ['porn video', 'porn videos', 'escort service', 'escort services', 'sexual services', 'send nudes', 'sell nudes', 'sex chat', 'cam girl', 'sugar baby'],
  'academic cheating': ['take your exam', 'take the exam for you', 'sit your exam', 'do your homework', 'write your thesis for you', 'write your dissertation for you', 'complete your assignment for you'],
  hatred: ['white supremacy', 'white power', 'ethnic cleansing', 'gas the', 'race war', 'heil hitler'],
}

export const bannedClassesIn = (text: string): string[] => CLASSES.filter(([, pattern]) => pattern.test(text)).map(([name]) => name)

const CLASSES: readonly (readonly [string, RegExp])[] = Object.entries(BANNED).map(([name, phrases]) => {
  const words = phrases.map((phrase) => phrase.replaceAll(' ', '[\\s_-]{1,3}'))
  return [name, new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join('|')})(?![\\p{L}\\p{N}])`, 'u')]
})
