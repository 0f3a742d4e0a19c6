import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Runs Kafka Connect's own transformations, predicates and converters for comparison: each line of standard input is a JSON array of
 * requests, each line of standard output the array of their answers. src/connect-oracle.ts has the types of both.
 */
public final class ConnectOracle {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        MAPPER.getFactory().setStreamReadConstraints(
            StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).maxNestingDepth(10_000).build());
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 16);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ArrayNode answers = MAPPER.createArrayNode();
            for (JsonNode request : MAPPER.readTree(line)) answers.add(answer(request));
            out.println(MAPPER.writeValueAsString(answers));
            out.flush();
        }
    }

    private interface Action {
        ObjectNode apply(JsonNode record) throws Exception;
    }

    private static ObjectNode answer(JsonNode request) {
        ObjectNode answer = MAPPER.createObjectNode();
        try {
            String op = request.get("op").textValue();
            Object plugin = Class.forName(request.get("class").textValue()).getDeclaredConstructor().newInstance();
            Map<String, String> config = texts(request.get("config"));
            if (op.equals("config")) return answer.set("keys", keys(configDef(plugin)));
            if (op.equals("validate")) return answer.set("values", values(configDef(plugin).validate(config)));
            Action action = action(op, plugin, config, request);
            ArrayNode results = answer.putArray("results");
            for (JsonNode record : request.get("records")) {
                try {
                    results.add(action.apply(record));
                } catch (Exception | StackOverflowError error) {
                    results.add(MAPPER.createObjectNode().set("error", error(error)));
                }
            }
            if (plugin instanceof AutoCloseable) ((AutoCloseable) plugin).close();
        } catch (Exception error) {
            answer.set("error", error(error));
        }
        return answer;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Action action(String op, Object plugin, Map<String, String> config, JsonNode request) {
        String topic = request.path("topic").asText("topic");
        switch (op) {
            case "transform": {
                Transformation transformation = (Transformation) plugin;
                transformation.configure(config);
                return record -> node("record", encodeRecord(transformation.apply(decodeRecord(record))));
            }
            case "predicate": {
                Predicate predicate = (Predicate) plugin;
                predicate.configure(config);
                return record -> MAPPER.createObjectNode().put("test", predicate.test(decodeRecord(record)));
            }
            case "fromConnect": {
                Converter converter = converter(plugin, config, request);
                return record -> {
                    SchemaAndValue data = decodeData(record);
                    return bytes(converter.fromConnectData(topic, data.schema(), data.value()));
                };
            }
            case "toConnect": {
                Converter converter = converter(plugin, config, request);
                return record -> encodeData(converter.toConnectData(topic, decodeBytes(record)));
            }
            case "fromConnectHeader": {
                HeaderConverter converter = headerConverter(plugin, config);
                return record -> {
                    SchemaAndValue data = decodeData(record);
                    return bytes(converter.fromConnectHeader(topic, "header", data.schema(), data.value()));
                };
            }
            case "toConnectHeader": {
                HeaderConverter converter = headerConverter(plugin, config);
                return record -> encodeData(converter.toConnectHeader(topic, "header", decodeBytes(record)));
            }
            default:
                throw new IllegalArgumentException("unknown op " + op);
        }
    }

    private static Converter converter(Object plugin, Map<String, String> config, JsonNode request) {
        Converter converter = (Converter) plugin;
        converter.configure(config, request.path("isKey").asBoolean(false));
        return converter;
    }

    private static HeaderConverter headerConverter(Object plugin, Map<String, String> config) {
        HeaderConverter converter = (HeaderConverter) plugin;
        Map<String, String> all = new HashMap<>(config);
        all.put("converter.type", "header");
        converter.configure(all);
        return converter;
    }

    private static ConfigDef configDef(Object plugin) throws Exception {
        return (ConfigDef) plugin.getClass().getMethod("config").invoke(plugin);
    }

    private static ArrayNode keys(ConfigDef def) {
        ArrayNode keys = MAPPER.createArrayNode();
        for (ConfigDef.ConfigKey key : def.configKeys().values()) {
            ObjectNode node = keys.addObject();
            node.put("name", key.name).put("type", key.type.name()).put("required", !key.hasDefault());
            node.put("default_value", key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null);
            node.put("importance", key.importance.name()).put("documentation", key.documentation).put("group", key.group);
            node.put("order", key.orderInGroup).put("width", key.width.name()).put("display_name", key.displayName);
            key.dependents.forEach(node.putArray("dependents")::add);
            node.put("validator", key.validator == null ? null : key.validator.toString());
        }
        return keys;
    }

    private static ArrayNode values(List<ConfigValue> values) {
        ArrayNode nodes = MAPPER.createArrayNode();
        for (ConfigValue value : values) {
            ObjectNode node = nodes.addObject().put("name", value.name());
            node.put("value", value.value() == null ? null : String.valueOf(value.value()));
            value.errorMessages().forEach(node.putArray("errors")::add);
        }
        return nodes;
    }

    private static ObjectNode error(Throwable error) {
        ObjectNode node = MAPPER.createObjectNode();
        // Maps are decoded with their order, but sources and JsonConverter make HashMaps.
        String message = error.getMessage() == null ? null : error.getMessage().replace("java.util.LinkedHashMap", "java.util.HashMap");
        node.put("class", error.getClass().getName()).put("message", message);
        if (error.getCause() != null && error.getCause() != error) node.set("cause", error(error.getCause()));
        return node;
    }

    @SuppressWarnings("rawtypes")
    private static ConnectRecord decodeRecord(JsonNode node) {
        SchemaAndValue key = decodeData(node.path("key"));
        SchemaAndValue value = decodeData(node.path("value"));
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : node.path("headers")) headers.add(header.get("name").textValue(), decodeData(header));
        Long timestamp = node.path("timestamp").isNumber() ? node.get("timestamp").longValue() : null;
        Integer partition = node.path("partition").isNumber() ? node.get("partition").intValue() : null;
        String topic = node.get("topic").textValue();
        if (node.path("offset").isNumber()) {
            TimestampType type = timestamp == null ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME;
            return new SinkRecord(topic, partition == null ? 0 : partition, key.schema(), key.value(), value.schema(), value.value(),
                node.get("offset").longValue(), timestamp, type, headers);
        }
        return new SourceRecord(Map.of(), Map.of(), topic, partition, key.schema(), key.value(), value.schema(), value.value(),
            timestamp, headers);
    }

    private static JsonNode encodeRecord(ConnectRecord<?> record) {
        if (record == null) return MAPPER.nullNode();
        ObjectNode node = MAPPER.createObjectNode();
        node.put("topic", record.topic()).put("partition", record.kafkaPartition()).put("timestamp", record.timestamp());
        node.set("key", encodeData(new SchemaAndValue(record.keySchema(), record.key())));
        node.set("value", encodeData(new SchemaAndValue(record.valueSchema(), record.value())));
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers()) {
            ObjectNode data = encodeData(new SchemaAndValue(header.schema(), header.value()));
            headers.add(data.put("name", header.key()));
        }
        return node;
    }

    private static SchemaAndValue decodeData(JsonNode node) {
        Schema schema = decodeSchema(node.path("schema"));
        return new SchemaAndValue(schema, decode(node.path("value"), schema));
    }

    private static ObjectNode encodeData(SchemaAndValue data) {
        ObjectNode node = MAPPER.createObjectNode();
        if (data == null) return node.putNull("schema").putNull("value");
        node.set("schema", encodeSchema(data.schema()));
        node.set("value", encode(data.value(), data.schema()));
        return node;
    }

    private static Schema decodeSchema(JsonNode node) {
        if (node.isMissingNode() || node.isNull()) return null;
        Schema.Type type = Schema.Type.valueOf(node.get("type").textValue().toUpperCase());
        SchemaBuilder builder = type == Schema.Type.ARRAY ? SchemaBuilder.array(decodeSchema(node.get("valueSchema")))
            : type == Schema.Type.MAP ? SchemaBuilder.map(decodeSchema(node.get("keySchema")), decodeSchema(node.get("valueSchema")))
            : SchemaBuilder.type(type);
        if (node.path("optional").asBoolean(false)) builder.optional();
        else builder.required();
        if (node.has("name")) builder.name(node.get("name").textValue());
        if (node.has("version")) builder.version(node.get("version").intValue());
        if (node.has("doc")) builder.doc(node.get("doc").textValue());
        if (node.has("parameters")) builder.parameters(texts(node.get("parameters")));
        for (JsonNode field : node.path("fields")) builder.field(field.get("name").textValue(), decodeSchema(field.get("schema")));
        if (node.has("default")) builder.defaultValue(decode(node.get("default"), builder));
        return builder.build();
    }

    private static JsonNode encodeSchema(Schema schema) {
        if (schema == null) return MAPPER.nullNode();
        ObjectNode node = MAPPER.createObjectNode().put("type", schema.type().getName());
        if (schema.isOptional()) node.put("optional", true);
        if (schema.name() != null) node.put("name", schema.name());
        if (schema.version() != null) node.put("version", schema.version());
        if (schema.doc() != null) node.put("doc", schema.doc());
        if (schema.parameters() != null) schema.parameters().forEach(node.putObject("parameters")::put);
        if (schema.defaultValue() != null) node.set("default", encode(schema.defaultValue(), schema));
        if (schema.type() == Schema.Type.STRUCT) {
            ArrayNode fields = node.putArray("fields");
            for (Field field : schema.fields()) fields.addObject().put("name", field.name()).set("schema", encodeSchema(field.schema()));
        }
        if (schema.type() == Schema.Type.MAP) node.set("keySchema", encodeSchema(schema.keySchema()));
        if (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY) {
            node.set("valueSchema", encodeSchema(schema.valueSchema()));
        }
        return node;
    }

    /** The form is described in test/support/connect-values.ts. A struct is read with its own schema, else with `schema`. */
    private static Object decode(JsonNode node, Schema schema) {
        if (node.isMissingNode() || node.isNull()) return null;
        if (node.isBoolean()) return node.booleanValue();
        if (node.isTextual()) return node.textValue();
        String tag = node.fieldNames().next();
        JsonNode value = node.get(tag);
        switch (tag) {
            case "int8": return (byte) value.intValue();
            case "int16": return (short) value.intValue();
            case "int32": return value.intValue();
            case "int64": return Long.parseLong(value.textValue());
            case "float32": return Float.parseFloat(value.textValue());
            case "float64": return Double.parseDouble(value.textValue());
            case "bytes": return Base64.getDecoder().decode(value.textValue());
            case "decimal": return new BigDecimal(new BigInteger(value.get(0).textValue()), value.get(1).intValue());
            case "date": return new Date(Long.parseLong(value.textValue()));
            case "array": {
                List<Object> list = new ArrayList<>();
                for (JsonNode element : value) list.add(decode(element, elementOf(schema)));
                return list;
            }
            case "map": {
                Map<Object, Object> map = new LinkedHashMap<>();
                Schema keys = schema != null && schema.type() == Schema.Type.MAP ? schema.keySchema() : null;
                for (JsonNode entry : value) map.put(decode(entry.get(0), keys), decode(entry.get(1), elementOf(schema)));
                return map;
            }
            case "struct": {
                Schema own = node.has("schema") ? decodeSchema(node.get("schema")) : schema;
                Struct struct = new Struct(own instanceof SchemaBuilder ? ((SchemaBuilder) own).build() : own);
                for (Field field : own.fields()) {
                    Object member = decode(value.get(field.index()), field.schema());
                    if (member != null) struct.put(field, member);
                }
                return struct;
            }
            default: throw new IllegalArgumentException("unknown form " + tag);
        }
    }

    private static Schema elementOf(Schema schema) {
        return schema != null && (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY) ? schema.valueSchema() : null;
    }

    private static JsonNode encode(Object value, Schema schema) {
        if (value == null) return MAPPER.nullNode();
        if (value instanceof Boolean) return MAPPER.getNodeFactory().booleanNode((Boolean) value);
        if (value instanceof String) return MAPPER.getNodeFactory().textNode((String) value);
        ObjectNode node = MAPPER.createObjectNode();
        if (value instanceof Byte) return node.put("int8", (Byte) value);
        if (value instanceof Short) return node.put("int16", (Short) value);
        if (value instanceof Integer) return node.put("int32", (Integer) value);
        if (value instanceof Long) return node.put("int64", value.toString());
        if (value instanceof Float) return node.put("float32", value.toString());
        if (value instanceof Double) return node.put("float64", value.toString());
        if (value instanceof byte[]) return node.put("bytes", Base64.getEncoder().encodeToString((byte[]) value));
        if (value instanceof ByteBuffer) {
            ByteBuffer copy = ((ByteBuffer) value).duplicate();
            byte[] bytes = new byte[copy.remaining()];
            copy.get(bytes);
            return node.put("bytes", Base64.getEncoder().encodeToString(bytes));
        }
        if (value instanceof Date) return node.put("date", Long.toString(((Date) value).getTime()));
        if (value instanceof BigDecimal) {
            BigDecimal decimal = (BigDecimal) value;
            node.putArray("decimal").add(decimal.unscaledValue().toString()).add(decimal.scale());
            return node;
        }
        if (value instanceof List) {
            ArrayNode array = node.putArray("array");
            for (Object element : (List<?>) value) array.add(encode(element, elementOf(schema)));
            return node;
        }
        if (value instanceof Map) {
            ArrayNode array = node.putArray("map");
            Schema keys = schema != null && schema.type() == Schema.Type.MAP ? schema.keySchema() : null;
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                array.addArray().add(encode(entry.getKey(), keys)).add(encode(entry.getValue(), elementOf(schema)));
            }
            return node;
        }
        if (value instanceof Struct) {
            Struct struct = (Struct) value;
            ArrayNode array = node.putArray("struct");
            for (Field field : struct.schema().fields()) {
                array.add(encode(struct.getWithoutDefault(field.name()), field.schema()));
            }
            // A default value may have been read while its schema was still being built: then the two are not equal.
            if (!Objects.equals(struct.schema(), schema)) node.set("schema", encodeSchema(struct.schema()));
            return node;
        }
        return node.put("other", value.getClass().getName());
    }

    private static ObjectNode node(String name, JsonNode value) {
        return MAPPER.createObjectNode().set(name, value);
    }

    private static ObjectNode bytes(byte[] bytes) {
        return MAPPER.createObjectNode().put("bytes", bytes == null ? null : Base64.getEncoder().encodeToString(bytes));
    }

    private static byte[] decodeBytes(JsonNode node) {
        return node.isNull() ? null : Base64.getDecoder().decode(node.textValue());
    }

    private static Map<String, String> texts(JsonNode node) {
        Map<String, String> map = new LinkedHashMap<>();
        if (node != null) node.fields().forEachRemaining(entry -> map.put(entry.getKey(), entry.getValue().textValue()));
        return map;
    }
}
