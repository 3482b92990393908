// Where a gig may stand: two levels, as plain data. Slugs are addresses and never change; names may.

export type Subcategory = { slug: string; name: string }
export type CategoryNode = { slug: string; name: string; subcategories: readonly Subcategory[] }

const category = (slug: string, name: string, subcategories: Record<string, string>): CategoryNode => ({
  slug,
  name,
  subcategories: Object.entries(subcategories).map(([under, called]) => ({ slug: under, name: called })),
})

export const CATEGORIES: readonly CategoryNode[] = [
  category('design', 'Graphics & Design', {
    'logo-design': 'Logo Design',
    'brand-identity': 'Brand Identity',
    illustration: 'Illustration',
    'web-ui-design': 'Web & UI Design',
    'packaging-design': 'Packaging Design',
    'presentation-design': 'Presentation Design',
    'print-design': 'Print Design',
  }),
  category('programming', 'Programming & Tech', {
    'web-development': 'Web Development',
    'mobile-apps': 'Mobile Apps',
    'backend-apis': 'Backend & APIs',
    'desktop-software': 'Desktop Software',
    wordpress: 'WordPress',
    chatbots: 'Chatbots',
    'devops-cloud': 'DevOps & Cloud',
    'bug-fixing': 'Bug Fixing',
    'game-development': 'Game Development',
  }),
  category('marketing', 'Digital Marketing', {
    seo: 'Search Engine Optimization',
    'social-media': 'Social Media',
    'email-marketing': 'E-mail Marketing',
    'paid-advertising': 'Paid Advertising',
    'content-marketing': 'Content Marketing',
    'marketing-strategy': 'Marketing Strategy',
  }),
  category('writing', 'Writing', {
    copywriting: 'Copywriting',
    'articles-blogs': 'Articles & Blogs',
    'technical-writing': 'Technical Writing',
    editing: 'Proofreading & Editing',
    'creative-writing': 'Creative Writing',
    resumes: 'Résumés & Cover Letters',
    'product-descriptions': 'Product Descriptions',
  }),
  category('translation', 'Translation', {
    'document-translation': 'Document Translation',
    'website-localization': 'Website Localization',
    subtitling: 'Subtitling',
    transcription: 'Transcription',
    interpretation: 'Interpretation',
  }),
  category('video', 'Video & Animation', {
    'video-editing': 'Video Editing',
    'explainer-videos': 'Explainer Videos',
    '2d-animation': '2D Animation',
    '3d-animation': '3D Animation',
    'motion-graphics': 'Motion Graphics',
    'short-video-ads': 'Short Video Ads',
  }),
  category('music', 'Music & Audio', {
    'voice-over': 'Voice Over',
    'mixing-mastering': 'Mixing & Mastering',
    'music-production': 'Music Production',
    'podcast-editing': 'Podcast Editing',
    songwriting: 'Songwriting',
    'sound-design': 'Sound Design',
  }),
  category('business', 'Business', {
    'virtual-assistant': 'Virtual Assistant',
    'business-plans': 'Business Plans',
    'market-research': 'Market Research',
    'project-management': 'Project Management',
    'legal-documents': 'Legal Documents',
    'customer-support': 'Customer Support',
  }),
  category('finance', 'Finance', {
    bookkeeping: 'Bookkeeping',
    'financial-modeling': 'Financial Modeling',
    'tax-consulting': 'Tax Consulting',
    'financial-analysis': 'Financial Analysis',
    fundraising: 'Fundraising',
  }),
  category('data', 'Data & AI', {
    'data-analysis': 'Data Analysis',
    'data-visualization': 'Data Visualization',
    'machine-learning': 'Machine Learning',
    'data-engineering': 'Data Engineering',
    'data-entry': 'Data Entry',
    'ai-integration': 'AI Integration',
  }),
  category('photography', 'Photography', {
    'photo-retouching': 'Photo Retouching',
    'product-photography': 'Product Photography',
    'portrait-photography': 'Portrait Photography',
    'event-photography': 'Event Photography',
    'photo-presets': 'Photo Presets',
  }),
  category('lifestyle', 'Lifestyle', {
    'online-tutoring': 'Online Tutoring',
    fitness: 'Fitness',
    nutrition: 'Nutrition',
    'travel-planning': 'Travel Planning',
    'arts-crafts': 'Arts & Crafts',
    'life-coaching': 'Life Coaching',
  }),
  category('architecture', 'Architecture & Engineering', {
    'floor-plans': 'Floor Plans',
    'interior-design': 'Interior Design',
    'product-engineering': 'Product Engineering',
    '3d-rendering': '3D Rendering',
    'landscape-design': 'Landscape Design',
    electronics: 'Electronics',
  }),
]
