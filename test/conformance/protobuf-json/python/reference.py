"""Reads lines "pkg.Message base64" and answers each with one line: "json" and the message as JSON, or "json!"/"decode!"
and why it is none. Its argument is a FileDescriptorSet in order of dependency."""

import base64
import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

with open(sys.argv[1], "rb") as file:
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(file.read())
pool = descriptor_pool.DescriptorPool()
for proto in descriptors.file:
    pool.AddSerializedFile(proto.SerializeToString())
# Also makes the extensions known to the messages that they extend.
message_factory.GetMessageClassesForFiles([proto.name for proto in descriptors.file], pool)


def one_line(error: Exception) -> str:
    return str(error).replace("\n", " ").replace("\r", " ")


def answer(name: str, encoded: str) -> str:
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
    try:
        message.ParseFromString(base64.b64decode(encoded))
    except Exception as error:
        return f"decode! {one_line(error)}"
    try:
        value = json_format.MessageToDict(message, always_print_fields_with_no_presence=True, descriptor_pool=pool)
    except Exception as error:
        return f"json! {one_line(error)}"
    return f"json {json.dumps(value)}"


for line in sys.stdin:
    print(answer(*line.rstrip("\n").split(" ")))
