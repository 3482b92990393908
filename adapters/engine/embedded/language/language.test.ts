import test from 'ava'
import {
  hearWord,
  isStopWord,
  LANGUAGE_BITS,
  languagesHeard,
  LANGUAGES_ALL,
  noTongues,
  sharedForms,
  stemsOf,
} from './index.ts'

const { en, es, de, fr } = LANGUAGE_BITS
const inLanguage = (bit: number, pairs: string) =>
  pairs.split(' ').map((pair) => {
    const [left, right] = pair.split('/') as [string, string]
    return [pair, (sharedForms(left, right) & bit) !== 0]
  })
const all = (pairs: string, is: boolean) => pairs.split(' ').map((pair) => [pair, is])

test('forms of a word share a stem in their language', (t) => {
  const english =
    'design/designs design/designer writing/writers edit/editor translate/translations animated/animation ' +
    'strategy/strategies optimise/optimization service/services mastering/master analyst/analyses planning/planner'
  const spanish = 'diseno/disenos traductora/traductores cancion/canciones blanca/blancos'
  const german = 'ubersetzung/ubersetzungen logos/logo webseite/webseiten schone/schoner zeichnung/zeichnungen'
  const french = 'rediger/redigee traductrice/traducteurs journaux/journal animee/animes montage/montages'
  t.deepEqual(inLanguage(en, english), all(english, true))
  t.deepEqual(inLanguage(es, spanish), all(spanish, true))
  t.deepEqual(inLanguage(de, german), all(german, true))
  t.deepEqual(inLanguage(fr, french), all(french, true))
})

test('words that only look alike do not', (t) => {
  const english = 'poster/post production/product king/kings1 paper/pap customer/custom logo/log wedding/web string/str'
  t.deepEqual(inLanguage(en, english), all(english, false))
  t.deepEqual(stemsOf('设计'), [])
  t.deepEqual(stemsOf('2024'), [])
})

test('a text is in the language whose small words it has; without any it may be in each', (t) => {
  const heard = (text: string) => {
    const tongues = noTongues()
    for (const word of text.split(' ')) hearWord(tongues, word)
    return languagesHeard(tongues)
  }
  t.is(heard('i will design a logo for your shop'), en)
  t.is(heard('voy a hacer un logo para tu tienda y los carteles'), es)
  t.is(heard('ich mache ein logo fur dich und das geschaft'), de)
  t.is(heard('je vais faire un logo pour votre boutique et les affiches'), fr)
  t.is(heard('logo design'), LANGUAGES_ALL)
  t.true(['the', 'und', 'pour', 'los'].every(isStopWord))
  t.false(['logo', 'art', 'video', 'over'].some(isStopWord))
})
