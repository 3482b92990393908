// The words demo gigs and people are made of.

export const FIRST_NAMES = ['Amara', 'Ben', 'Chloe', 'Dario', 'Elif', 'Farah', 'Goran', 'Hana', 'Ines', 'Jonas', 'Kaito', 'Leila', 'Mateo', 'Nadia', 'Omar', 'Priya', 'Quinn', 'Rosa', 'Samir', 'Tove', 'Umar', 'Vera', 'Wes', 'Ximena', 'Yara', 'Zeno', 'Aiko', 'Bruno', 'Carla', 'Dmitri']
export const LAST_NAMES = ['Abreu', 'Berg', 'Castillo', 'Dahl', 'Eriksen', 'Fontaine', 'Gupta', 'Hoffmann', 'Ivanova', 'Jansen', 'Kimura', 'Lindqvist', 'Moreau', 'Nakamura', 'Okafor', 'Pereira', 'Quispe', 'Rossi', 'Santos', 'Tanaka', 'Uysal', 'Vargas', 'Weber', 'Xu', 'Yilmaz', 'Zhou']
export const LANGUAGES = ['en', 'es', 'de', 'fr', 'pt', 'ja', 'tr', 'it', 'hi', 'ar']

/** What a seller says of a kind of work in each category: {q} how, {t} what, {a} for whom. */
export const PHRASES: Readonly<Record<string, readonly string[]>> = {
  design: ['I will design {q} {t} for your {a}', 'I will create {q} {t} your {a} is remembered for'],
  programming: ['I will build {q} {t} for your {a}', 'I will take care of {t} for your {a}, {q} and tested'],
  marketing: ['I will plan and run {q} {t} for your {a}', 'I will grow your {a} with {q} {t}'],
  writing: ['I will write {q} {t} for your {a}', 'I will deliver {q} {t} that sounds like your {a}'],
  translation: ['I will do {q} {t} for your {a}, English and back', 'I will provide {t} for your {a}, {q} and on time'],
  video: ['I will produce {q} {t} for your {a}', 'I will make {q} {t} that shows what your {a} does'],
  music: ['I will record {q} {t} for your {a}', 'I will deliver {q} {t} made for your {a}'],
  business: ['I will help your {a} with {q} {t}', 'I will take {t} off the desk of your {a}'],
  finance: ['I will do {q} {t} for your {a}', 'I will put the {t} of your {a} in order'],
  data: ['I will set up {q} {t} for your {a}', 'I will do {t} for your {a}, {q} and explained'],
  photography: ['I will deliver {q} {t} for your {a}', 'I will make your {a} look its best with {q} {t}'],
  lifestyle: ['I will help you with {q} {t}', 'I will guide you through {t}, step by step'],
  architecture: ['I will draw {q} {t} for your {a}', 'I will plan {q} {t} for your {a}'],
}
export const QUALITIES = ['modern', 'careful', 'hand-made', 'professional', 'eye-catching', 'clean', 'bold', 'elegant', 'playful', 'thorough', 'timeless', 'friendly', 'custom', 'original', 'well-made', 'reliable', 'carefully researched', 'ready-to-use']
export const AUDIENCES = ['startup', 'small business', 'bakery', 'podcast', 'online shop', 'coffee brand', 'fitness studio', 'travel blog', 'law firm', 'restaurant', 'music label', 'non-profit', 'game studio', 'yoga teacher', 'real estate agency', 'dental clinic', 'wedding', 'tech conference', 'book launch', 'craft brewery']
export const OPENINGS = [
  'You have an idea; I turn it into something you are proud to show.',
  'After nine years in the field I know what works and what only looks as if it did.',
  'Tell me about your goal and the people you want to reach, and leave the rest to me.',
  'Good work starts with listening, so every order begins with your answers.',
  'I take few orders at a time so that each gets my full attention.',
]
export const MIDDLES = [
  'You get a first draft early, clear notes on every decision, and source files that stay yours.',
  'Everything is made from scratch for you: no templates, no stock, no surprises.',
  'I work in small steps and show you each of them, so that nothing goes in the wrong direction for long.',
  'The result is tested, documented and ready to use on the day it is delivered.',
]
export const CLOSINGS = [
  'If something is not right, revisions are part of the package.',
  'Not sure which package fits? Send me a message here first.',
  'Every file is checked twice before it reaches you.',
  'I answer within hours and deliver when I say I will.',
]
export const FEATURES = ['Source files', 'Commercial use', 'Print ready', 'Fast first draft', 'Project brief call', 'Two concepts', 'Detailed report', 'Style guide', 'Unlimited questions', 'High resolution', 'Mobile friendly', 'Lifetime support of files']
export const TAGS = ['brand', 'creative', 'modern', 'fast', 'online', 'growth', 'strategy', 'quality', 'expert', 'fresh', 'custom', 'digital', 'small-business', 'launch', 'content', 'marketing', 'story', 'clean']
export const PRAISE = [
  'Exactly what I asked for, a day early.', 'Listened, asked the right questions and nailed it.', 'Great communication and lovely work.',
  'The second draft was perfect. I will be back.', 'Good value, small delay, happy with the result.', 'Our team loves it.', 'Patient with all of my changes. Recommended.',
  'Solid work, well documented.', 'Better than I had imagined it.', 'Fine, though I expected a bit more at this price.',
]
export const QUESTIONS = ['What is the name of your business or project?', 'Who is it for?', 'Which examples do you like, and why?']
