// Media: images, kept under the hash of their bytes. What a file is, its bytes say, not its sender.
import { FILE_BYTES_MAX } from '../../adapters/files/index.ts'
import { imageType } from '../../adapters/files/detect.ts'
import { service } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { media as contract } from './contract.ts'

export default service(contract, async (here) => {
  const files = await here.open('files')
  return {
    actions: {
      upload: async ({ params }) => {
        const bytes = Buffer.from(params.body, 'base64')
        if (bytes.length > FILE_BYTES_MAX)
          throw refuse('body_too_large', `an image has at most ${FILE_BYTES_MAX / 1024 / 1024} MiB`)
        const type = imageType(bytes)
        if (!type)
          throw refuse(
            'unsupported_media_type',
            'this is not a whole PNG, JPEG, WebP, AVIF or GIF image of a size we take',
          )
        const { id } = await files.put(bytes, type)
        return { id, url: `/media/${id}` }
      },
      read: async ({ params }) => {
        const found = await files.get(params.id)
        return found && { body: Buffer.from(found.bytes).toString('base64'), type: found.type }
      },
      known: async ({ params }) => ({ known: await Promise.all(params.ids.map((id) => files.has(id))) }),
    },
  }
})
