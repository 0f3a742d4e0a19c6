import { framed, type Method, Status } from './grpc-server.ts'
import { type DescriptorFile, reflectionSchema } from './schema.ts'

interface Question {
  readonly file_by_filename?: string
  readonly file_containing_symbol?: string
  readonly list_services?: string
  readonly message_request?: 'file_by_filename' | 'file_containing_symbol' | 'list_services'
}

/** Server reflection, v1 and v1alpha. The answer to every symbol contains all files, which the protocol allows. */
export function reflectionMethods(
  files: readonly DescriptorFile[],
  services: readonly string[],
  knows: (symbol: string) => boolean,
): Map<string, Method> {
  const request = reflectionSchema.lookupType('grpc.reflection.v1.ServerReflectionRequest')
  const response = reflectionSchema.lookupType('grpc.reflection.v1.ServerReflectionResponse')
  const found = (sent: readonly DescriptorFile[]): object => ({
    file_descriptor_response: { file_descriptor_proto: sent.map((file) => file.bytes) },
  })
  const notFound = (what: string): object => ({
    error_response: { error_code: Status.NOT_FOUND, error_message: `${what} not found` },
  })

  const answer = (question: Question): object => {
    const { message_request: kind, file_by_filename: name = '', file_containing_symbol: symbol = '' } = question
    switch (kind) {
      case 'list_services':
        return { list_services_response: { service: services.map((service) => ({ name: service })) } }
      case 'file_containing_symbol':
        return knows(symbol) ? found(files) : notFound(symbol)
      case 'file_by_filename': {
        const file = files.find((f) => f.name === name)
        return file ? found([file]) : notFound(name)
      }
      default:
        return { error_response: { error_code: Status.UNIMPLEMENTED, error_message: 'not answered by this server' } }
    }
  }
  const converse: Method = async (requests, call) => {
    for await (const bytes of requests) {
      const question = request.toObject(request.decode(bytes), { oneofs: true })
      const message = response.fromObject({ original_request: question, ...answer(question) })
      await call.write(framed(response.encode(message).finish()), 1)
    }
  }
  return new Map(
    ['v1', 'v1alpha'].map((version) => [`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, converse]),
  )
}
