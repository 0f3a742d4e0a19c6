import { readFileSync } from 'node:fs'
import type { handleBidiStreamingCall, Server } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'

interface FileDescriptor {
  readonly name: string
  readonly package: string
  readonly service?: readonly { readonly name: string }[]
}

type Question = Readonly<Record<string, string | undefined>>

/** The files of descriptor sets made by protoc. */
export function descriptorFiles(paths: readonly string[]): FileDescriptor[] {
  return paths.flatMap((path) => {
    const set = descriptor.FileDescriptorSet.decode(readFileSync(path))
    return (set as unknown as { file: FileDescriptor[] }).file
  })
}

/** Adds server reflection to a grpc-js server, answering for the files as grpc's own reflection services do. */
export function addReflection(server: Server, version: 'v1' | 'v1alpha', files: readonly FileDescriptor[]): void {
  const schema = new protobuf.Root()
  const source = new URL('../../apps/demo-feed/proto/reflection.proto', import.meta.url)
  protobuf.parse(readFileSync(source, 'utf8'), schema, { keepCase: true })
  const request = schema.lookupType('grpc.reflection.v1.ServerReflectionRequest')
  const response = schema.lookupType('grpc.reflection.v1.ServerReflectionResponse')
  const servicesOf = (file: FileDescriptor): string[] => (file.service ?? []).map((s) => `${file.package}.${s.name}`)

  const answer: handleBidiStreamingCall<Question, object> = (call) => {
    call.on('data', (question: Question) => {
      const { file_by_filename: name, file_containing_symbol: symbol, list_services: list } = question
      const file = files.find((f) => f.name === name || servicesOf(f).includes(symbol ?? ''))
      if (file) {
        const bytes = descriptor.FileDescriptorProto.encode(file).finish()
        call.write({ file_descriptor_response: { file_descriptor_proto: [bytes] } })
      } else if (list !== undefined) {
        call.write({ list_services_response: { service: files.flatMap(servicesOf).map((s) => ({ name: s })) } })
      } else call.write({ error_response: { error_code: 5, error_message: `${name ?? symbol} not found` } })
    })
    call.on('end', () => call.end())
  }
  const method = {
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (question: object) => Buffer.from(request.encode(question).finish()),
    requestDeserialize: (bytes: Buffer) => request.toObject(request.decode(bytes)) as Question,
    responseSerialize: (answered: object) => Buffer.from(response.encode(response.fromObject(answered)).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  }
  server.addService({ ServerReflectionInfo: method }, { ServerReflectionInfo: answer })
}
