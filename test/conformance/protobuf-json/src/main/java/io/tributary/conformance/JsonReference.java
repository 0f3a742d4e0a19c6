package io.tributary.conformance;

import com.google.protobuf.AnyProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DurationProto;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.FieldMaskProto;
import com.google.protobuf.StructProto;
import com.google.protobuf.TimestampProto;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.WrappersProto;
import com.google.protobuf.util.JsonFormat;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads lines "pkg.Message base64" and answers each with one line: "json" and the message as JSON with default values
 * included, or "json!"/"decode!" and why it is none. Its argument is a FileDescriptorSet in order of dependency.
 */
public final class JsonReference {
  private static final List<FileDescriptor> WELL_KNOWN =
      List.of(
          AnyProto.getDescriptor(),
          DurationProto.getDescriptor(),
          EmptyProto.getDescriptor(),
          FieldMaskProto.getDescriptor(),
          StructProto.getDescriptor(),
          TimestampProto.getDescriptor(),
          WrappersProto.getDescriptor());

  private final Map<String, FileDescriptor> files = new HashMap<>();
  private final Map<String, Descriptor> types = new HashMap<>();
  private final ExtensionRegistry extensions = ExtensionRegistry.newInstance();
  private final JsonFormat.Printer printer;

  private JsonReference(FileDescriptorSet set) throws Exception {
    for (FileDescriptor file : WELL_KNOWN) files.put(file.getName(), file);
    for (FileDescriptorProto proto : set.getFileList()) {
      if (!files.containsKey(proto.getName())) files.put(proto.getName(), link(proto));
    }
    TypeRegistry.Builder registry = TypeRegistry.newBuilder();
    for (FileDescriptor file : files.values()) {
      for (Descriptor type : file.getMessageTypes()) add(type, registry);
      for (FieldDescriptor extension : file.getExtensions()) add(extension);
    }
    printer =
        JsonFormat.printer()
            .includingDefaultValueFields()
            .omittingInsignificantWhitespace()
            .usingTypeRegistry(registry.build());
  }

  private FileDescriptor link(FileDescriptorProto proto) throws Exception {
    List<FileDescriptor> dependencies = new ArrayList<>();
    for (String name : proto.getDependencyList()) dependencies.add(files.get(name));
    return FileDescriptor.buildFrom(proto, dependencies.toArray(new FileDescriptor[0]));
  }

  private void add(Descriptor type, TypeRegistry.Builder registry) {
    types.put(type.getFullName(), type);
    registry.add(type);
    for (Descriptor nested : type.getNestedTypes()) add(nested, registry);
    for (FieldDescriptor extension : type.getExtensions()) add(extension);
  }

  private void add(FieldDescriptor extension) {
    if (extension.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
      extensions.add(extension, DynamicMessage.getDefaultInstance(extension.getMessageType()));
    } else {
      extensions.add(extension);
    }
  }

  private String answer(String line) {
    String[] parts = line.split(" ", 2);
    byte[] bytes = Base64.getDecoder().decode(parts[1]);
    DynamicMessage message;
    try {
      message = DynamicMessage.parseFrom(types.get(parts[0]), bytes, extensions);
    } catch (Exception e) {
      return "decode! " + oneLine(e);
    }
    try {
      return "json " + printer.print(message);
    } catch (Exception e) {
      return "json! " + oneLine(e);
    }
  }

  private static String oneLine(Exception e) {
    return String.valueOf(e.getMessage()).replace('\n', ' ').replace('\r', ' ');
  }

  public static void main(String[] args) throws Exception {
    FileDescriptorSet set = FileDescriptorSet.parseFrom(Files.readAllBytes(Path.of(args[0])));
    JsonReference reference = new JsonReference(set);
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.print(reference.answer(line));
      out.print('\n');
    }
    out.flush();
  }
}
