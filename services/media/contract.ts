// Media: images, kept under the hash of their bytes.
import { Type } from 'typebox'
import { FILE_BYTES_MAX } from '../../adapters/files/index.ts'
import { contract } from '../../mixins/contract.ts'
import { closed } from '../shapes.ts'

/** Files one question may name. */
export const KNOWN_FILES_MAX = 100
/** A file's id as `upload` answers it, or its address here. */
const NAMED = /^(?:\/media\/)?([0-9a-f]{64})$/
const LIKE_AN_ID = /^med_/

/** The id of the stored file that a text names, null where it names none: another address, another word. */
export const mediaIdIn = (text: string): string | null => NAMED.exec(text)?.[1] ?? (LIKE_AN_ID.test(text) ? text : null)

export const media = contract({
  name: 'media',
  actions: {
    upload: {
      rest: 'POST /v1/media',
      auth: 'user',
      status: 201,
      rawBody: { bytesMax: FILE_BYTES_MAX },
      errors: ['unsupported_media_type', 'body_too_large'],
      summary:
        'Stores an image: PNG, JPEG, WebP, AVIF or GIF by content, at most 10 MiB. Answers its immutable address.',
      result: Type.Object({ id: Type.String(), url: Type.String() }),
      params: closed({ body: Type.String() }),
    },
    read: {
      auth: 'internal',
      summary: 'The bytes (base64) and type of a stored file, null when there is none.',
      result: Type.Union([Type.Object({ body: Type.String(), type: Type.String() }), Type.Null()]),
      params: closed({ id: Type.String({ maxLength: 100 }) }),
    },
    known: {
      auth: 'internal',
      summary: 'Which of these ids are stored files, in their order.',
      result: Type.Object({ known: Type.Array(Type.Boolean()) }),
      params: closed({ ids: Type.Array(Type.String({ maxLength: 200 }), { maxItems: KNOWN_FILES_MAX }) }),
    },
  },
  events: {},
  hears: [],
})
