// What the gigs of the measured corpus are about. Each topic can be named in several ways and languages; sellers use any
// of the names, and so do those who search: who is to find whom follows from the topic, not from the words.

export type Tongue = 'en' | 'es' | 'de' | 'fr' | 'ja' | 'zh'
export type Topic = {
  id: string
  category: string
  subcategory: string
  /** The first is the usual one. */
  names: Partial<Record<Tongue, readonly string[]>>
  /** English inflections that only searchers use. */
  inflected: readonly string[]
  tags: readonly string[]
}

const topic = (path: string, names: Topic['names'], inflected: string[], tags: string[]): Topic => {
  const [category, subcategory, id] = path.split('/')
  return { id: id!, category: category!, subcategory: subcategory!, names, inflected, tags }
}

// prettier-ignore
export const TOPICS: readonly Topic[] = [
  topic('design/logo-design/logo', { en: ['logo', 'logotype', 'emblem'], es: ['logotipo', 'diseño de logotipos'], de: ['Logodesign', 'Firmenlogo'], fr: ['logo', 'création de logos'], ja: ['ロゴデザイン'], zh: ['标志设计'] }, ['logos', 'logo designs', 'logo designer'], ['logo', 'branding']),
  topic('design/brand-identity/identity', { en: ['brand identity', 'brand guidelines'], es: ['identidad de marca'], de: ['Markenauftritt'], fr: ['identité visuelle'] }, ['brand identities', 'branding guideline'], ['brand', 'identity']),
  topic('design/illustration/illustration', { en: ['illustration', 'digital illustration'], es: ['ilustración', 'ilustraciones'], de: ['Illustration', 'Illustrationen'], fr: ['illustration'], ja: ['イラスト制作'] }, ['illustrations', 'illustrator', 'illustrated'], ['illustration', 'drawing']),
  topic('design/packaging-design/packaging', { en: ['packaging design', 'package design'], es: ['diseño de envases'], de: ['Verpackungsdesign'], fr: ['design d’emballage'] }, ['packaging designs', 'packaging designer'], ['packaging', 'label']),
  topic('programming/web-development/website', { en: ['website', 'web page', 'homepage'], es: ['página web', 'sitio web'], de: ['Webseite', 'Webseiten'], fr: ['site internet', 'sites web'], ja: ['ホームページ制作'], zh: ['网站建设'] }, ['websites', 'web pages'], ['website', 'html']),
  topic('programming/web-development/shop', { en: ['online shop', 'online store', 'ecommerce'], es: ['tienda en línea'], de: ['Onlineshop'], fr: ['boutique en ligne'] }, ['online shops', 'online stores'], ['shop', 'checkout']),
  topic('programming/mobile-apps/app', { en: ['mobile app', 'mobile application'], es: ['aplicación móvil'], de: ['Handy-App', 'mobile App'], fr: ['application mobile'], zh: ['手机应用开发'] }, ['mobile apps', 'mobile applications'], ['android', 'ios']),
  topic('programming/chatbots/chatbot', { en: ['chatbot', 'chat bot'], es: ['chatbot'], de: ['Chatbot'], fr: ['agent conversationnel'] }, ['chatbots', 'chat bots'], ['bot', 'automation']),
  topic('marketing/seo/seo', { en: ['seo', 'search engine optimization'], es: ['posicionamiento seo'], de: ['Suchmaschinenoptimierung'], fr: ['référencement naturel'] }, ['search engine optimizing', 'search engine optimisation'], ['seo', 'ranking']),
  topic('marketing/social-media/social', { en: ['social media marketing', 'smm'], es: ['redes sociales'], de: ['Social-Media-Betreuung'], fr: ['réseaux sociaux'] }, ['social media marketer'], ['instagram', 'posts']),
  topic('marketing/email-marketing/newsletter', { en: ['email newsletter', 'newsletter campaign'], es: ['boletín de correo'], de: ['E-Mail-Newsletter'], fr: ['campagne d’infolettre'] }, ['email newsletters', 'newsletter campaigns'], ['email', 'campaign']),
  topic('writing/copywriting/sales-page', { en: ['landing page copy', 'sales page copy'], es: ['textos de venta'], de: ['Werbetexte'], fr: ['page de vente'] }, ['landing pages copy', 'sales pages copy'], ['copywriting', 'conversion']),
  topic('writing/articles-blogs/article', { en: ['blog article', 'blog post'], es: ['artículo de blog', 'artículos de blog'], de: ['Blogartikel'], fr: ['article de blog', 'articles de blog'] }, ['blog articles', 'blog posts'], ['blog', 'content']),
  topic('writing/resumes/resume', { en: ['resume', 'cv', 'curriculum vitae'], es: ['currículum'], de: ['Lebenslauf', 'Lebensläufe'], fr: ['curriculum vitae'], zh: ['简历撰写'] }, ['résumés', 'resumes'], ['resume', 'career']),
  topic('writing/editing/proofreading', { en: ['proofreading', 'copy editing'], es: ['corrección de textos'], de: ['Lektorat'], fr: ['relecture et correction'] }, ['proofreader', 'copy editor', 'proofread'], ['editing', 'grammar']),
  topic('translation/document-translation/translation', { en: ['document translation', 'translation of documents'], es: ['traducción de documentos', 'traductor de documentos'], de: ['Übersetzung von Dokumenten', 'Übersetzungen'], fr: ['traduction de documents', 'traducteur'], ja: ['文書翻訳'], zh: ['文件翻译'] }, ['translating documents', 'document translator', 'documents translated'], ['translation', 'language']),
  topic('translation/subtitling/subtitles', { en: ['subtitles', 'captions'], es: ['subtítulos'], de: ['Untertitel'], fr: ['sous-titres'] }, ['subtitle', 'captioning', 'subtitled'], ['subtitles', 'srt']),
  topic('video/explainer-videos/explainer', { en: ['explainer video', 'animated video'], es: ['vídeo explicativo'], de: ['Erklärvideo', 'Erklärvideos'], fr: ['vidéo explicative'] }, ['explainer videos', 'animated videos', 'explaining video'], ['explainer', 'animation']),
  topic('video/video-editing/video-editing', { en: ['video editing', 'edited video'], es: ['edición de vídeo'], de: ['Videoschnitt'], fr: ['montage vidéo'], ja: ['動画編集'] }, ['video editor', 'edit videos', 'edited videos'], ['video', 'premiere']),
  topic('music/voice-over/voice', { en: ['voice over', 'voiceover', 'narration'], es: ['locución', 'locuciones'], de: ['Sprachaufnahme', 'Sprachaufnahmen'], fr: ['voix off'] }, ['voice overs', 'voiceovers', 'narrations'], ['voice', 'studio']),
  topic('music/mixing-mastering/mixing', { en: ['mixing and mastering', 'audio mixing'], es: ['mezcla y masterización'], de: ['Abmischung'], fr: ['mixage audio'] }, ['mix and master', 'audio mixes'], ['audio', 'mastering']),
  topic('music/songwriting/song', { en: ['song lyrics', 'songwriting'], es: ['letras de canciones'], de: ['Liedtext', 'Liedtexte'], fr: ['paroles de chansons'] }, ['songs lyrics', 'song lyric'], ['song', 'lyrics']),
  topic('business/virtual-assistant/assistant', { en: ['virtual assistant', 'administrative assistant'], es: ['asistente virtual'], de: ['virtuelle Assistenz'], fr: ['assistante virtuelle', 'assistants virtuels'] }, ['virtual assistants', 'virtual assistance'], ['admin', 'assistant']),
  topic('business/business-plans/plan', { en: ['business plan', 'startup business plan'], es: ['plan de negocios'], de: ['Geschäftsplan', 'Businessplan'], fr: ['plan d’affaires'] }, ['business plans', 'business planning'], ['business', 'investor']),
  topic('finance/bookkeeping/bookkeeping', { en: ['bookkeeping', 'accounting'], es: ['contabilidad'], de: ['Buchhaltung'], fr: ['comptabilité'] }, ['bookkeeper', 'accountant'], ['accounts', 'quickbooks']),
  topic('data/data-analysis/analysis', { en: ['data analysis', 'statistical analysis'], es: ['análisis de datos'], de: ['Datenanalyse'], fr: ['analyse de données'], zh: ['数据分析'] }, ['data analyst', 'analyzing data', 'statistical analyses'], ['statistics', 'excel']),
  topic('data/machine-learning/learning', { en: ['machine learning model', 'machine learning'], es: ['aprendizaje automático'], de: ['maschinelles Lernen'], fr: ['apprentissage automatique'] }, ['machine learning models', 'machine learned model'], ['python', 'model']),
  topic('photography/photo-retouching/retouching', { en: ['photo retouching', 'photo editing'], es: ['retoque fotográfico'], de: ['Fotobearbeitung'], fr: ['retouche photo', 'retouches photo'], ja: ['写真加工'] }, ['photos retouched', 'photo retoucher', 'edited photos'], ['photoshop', 'retouching']),
  topic('photography/product-photography/product-photo', { en: ['product photography', 'product photos'], es: ['fotografía de producto'], de: ['Produktfotografie', 'Produktfotos'], fr: ['photographie de produits'] }, ['product photographer', 'product photographs', 'product photo'], ['product', 'photography']),
  topic('lifestyle/fitness/trainer', { en: ['personal trainer', 'fitness coach', 'workout plan'], es: ['entrenador personal'], de: ['Fitnesstrainer'], fr: ['coach sportif'] }, ['personal trainers', 'fitness coaching', 'personal training'], ['fitness', 'workout']),
  topic('lifestyle/online-tutoring/tutoring', { en: ['math tutoring', 'math tutor'], es: ['clases de matemáticas'], de: ['Mathenachhilfe'], fr: ['cours de mathématiques'] }, ['math tutors', 'mathematics tutoring'], ['math', 'lessons']),
  topic('architecture/floor-plans/floor-plan', { en: ['floor plan', 'blueprint'], es: ['plano de planta', 'planos de planta'], de: ['Grundriss', 'Grundrisse'], fr: ['plan d’étage'] }, ['floor plans', 'blueprints', 'floor planning'], ['autocad', 'house']),
]

export const ATTRIBUTES = [
  'vintage',
  'minimalist',
  'medical',
  'wedding',
  'restaurant',
  'real estate',
  'children',
  'crypto',
  'yoga',
  'startup',
  'fashion',
  'gaming',
] as const

/** {n} the topic's name, {a} for whom. */
export const TITLES: Readonly<Record<Tongue, readonly string[]>> = {
  en: [
    'I will create a {n} for your {a} business',
    'I will deliver professional {n} for {a} brands',
    'Your {a} {n}, done with care',
    'I will be your {a} {n} expert',
    'I will do {n} with a {a} touch',
  ],
  es: ['Voy a hacer {n} para tu negocio ({a})', 'Ofrezco {n} con los mejores resultados para {a}'],
  de: ['Ich mache {n} für dein Unternehmen ({a})', 'Ich biete {n} mit viel Erfahrung für {a}'],
  fr: ['Je vais faire {n} pour votre entreprise ({a})', 'Je propose {n} avec les meilleurs résultats pour {a}'],
  ja: ['{n}を丁寧に行います {a}', 'プロが{n}を承ります {a}'],
  zh: ['专业{n}服务 {a}', '我将为您提供{n} {a}'],
}
export const PROSE: Readonly<Record<Tongue, readonly string[]>> = {
  en: [
    'After years in the field I know what works and what does not.',
    'You get a first draft early and the files stay yours.',
    'I answer within hours and deliver when I say that I will.',
    'Every order begins with your answers to my questions.',
  ],
  es: [
    'Con muchos años de experiencia, sé lo que funciona y lo que no.',
    'Los archivos son tuyos y las revisiones están en el paquete.',
  ],
  de: [
    'Nach vielen Jahren weiß ich, was geht und was nicht.',
    'Die Dateien gehören dir und die Änderungen sind im Paket dabei.',
  ],
  fr: [
    'Après des années dans le métier, je sais ce qui marche et ce qui ne marche pas.',
    'Les fichiers sont à vous et les retouches sont dans le forfait.',
  ],
  ja: ['ご要望をお聞きしてから作業を始めます。', '納品後の修正も承ります。'],
  zh: ['多年经验，按时交付。', '文件归您所有，可修改。'],
}
