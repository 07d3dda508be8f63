/* SPDX-License-Identifier: Apache-2.0 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * args: CASES: sends each case's records through the original transform (or predicate) that it names, a new instance
 * for each record, and prints what comes out: the same lines as transform_judge.c.
 */
public final class Recorder {
    static final String DATE = org.apache.kafka.connect.data.Date.LOGICAL_NAME;

    /** What no converter would take: it counts as a failure of the record. */
    static final class Unwritable extends RuntimeException {
        Unwritable(String message) {
            super(message);
        }
    }

    // ---- from JSON ----

    static Schema schema(JsonNode node) {
        if (node == null || node.isNull()) {
            return null;
        }
        Schema.Type type = Schema.Type.valueOf(node.get("t").asText().toUpperCase());
        SchemaBuilder builder;
        if (type == Schema.Type.ARRAY) {
            builder = SchemaBuilder.array(schema(node.get("e")));
        }
        else if (type == Schema.Type.MAP) {
            builder = SchemaBuilder.map(schema(node.get("k")), schema(node.get("e")));
        }
        else {
            builder = new SchemaBuilder(type);
        }
        if (node.has("n")) {
            builder.name(node.get("n").asText());
        }
        if (node.has("v")) {
            builder.version(node.get("v").asInt());
        }
        if (node.has("doc")) {
            builder.doc(node.get("doc").asText());
        }
        if (node.has("p")) {
            node.get("p").fields().forEachRemaining(e -> builder.parameter(e.getKey(), e.getValue().asText()));
        }
        if (node.path("o").asBoolean()) {
            builder.optional();
        }
        if (type == Schema.Type.STRUCT) {
            for (JsonNode field : node.get("f")) {
                builder.field(field.get(0).asText(), schema(field.get(1)));
            }
        }
        if (node.has("d")) {
            Schema bare = builder;
            builder.defaultValue(value(bare, node.get("d")));
        }
        return builder.build();
    }

    static Object value(Schema schema, JsonNode node) {
        if (node == null || node.isNull()) {
            return null;
        }
        if (schema == null) {
            return schemaless(node);
        }
        String name = schema.name();
        switch (schema.type()) {
            case INT8: return (byte) node.asInt();
            case INT16: return (short) node.asInt();
            case INT32:
                return DATE.equals(name) ? org.apache.kafka.connect.data.Date.toLogical(schema, node.asInt())
                        : Time.LOGICAL_NAME.equals(name) ? (Object) Time.toLogical(schema, node.asInt()) : (Object) node.asInt();
            case INT64: return Timestamp.LOGICAL_NAME.equals(name) ? new Date(node.asLong()) : (Object) node.asLong();
            case FLOAT32: return Float.parseFloat(node.asText());
            case FLOAT64: return Double.parseDouble(node.asText());
            case BOOLEAN: return node.asBoolean();
            case STRING: return node.asText();
            case BYTES: return Decimal.LOGICAL_NAME.equals(name)
                    ? new BigDecimal(new BigInteger(node.asText()), Integer.parseInt(schema.parameters().get("scale")))
                    : (Object) ByteBuffer.wrap(bytes(node.asText()));
            case ARRAY:
                List<Object> list = new ArrayList<>();
                node.forEach(item -> list.add(value(schema.valueSchema(), item)));
                return list;
            case MAP:
                Map<Object, Object> map = new LinkedHashMap<>();
                node.forEach(pair -> map.put(value(schema.keySchema(), pair.get(0)), value(schema.valueSchema(), pair.get(1))));
                return map;
            default:
                Struct struct = new Struct(schema);
                for (Field field : schema.fields()) {
                    struct.put(field, value(field.schema(), node.get(field.index())));
                }
                return struct;
        }
    }

    static byte[] bytes(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }

    /** [type, value] */
    static Object schemaless(JsonNode node) {
        if (node.isNull()) {
            return null;
        }
        JsonNode inner = node.get(1);
        switch (node.get(0).asText()) {
            case "int64": return inner.asLong();
            case "float64": return Double.parseDouble(inner.asText());
            case "boolean": return inner.asBoolean();
            case "string": return inner.asText();
            case "array":
                List<Object> list = new ArrayList<>();
                inner.forEach(item -> list.add(schemaless(item)));
                return list;
            default:
                Map<Object, Object> map = new HashMap<>();
                inner.forEach(pair -> map.put(pair.get(0).asText(), schemaless(pair.get(1))));
                return map;
        }
    }

    static SinkRecord record(JsonNode node) {
        Schema keySchema = schema(node.get("ks"));
        Schema valueSchema = schema(node.get("vs"));
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : node.get("headers")) {
            Schema schema = schema(header.get(1));
            headers.add(header.get(0).asText(), value(schema, header.get(2)), schema);
        }
        Long timestamp = node.get("ts").isNull() ? null : (Long) node.get("ts").asLong();
        return new SinkRecord(node.get("topic").asText(), node.get("partition").asInt(), keySchema,
                value(keySchema, node.get("k")), valueSchema, value(valueSchema, node.get("v")), node.get("offset").asLong(),
                timestamp, timestamp == null ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME, headers);
    }

    // ---- to text ----

    static void quote(StringBuilder out, byte[] bytes) {
        out.append('"');
        for (byte b : bytes) {
            if (b >= ' ' && b < 127 && b != '"' && b != '\\') {
                out.append((char) b);
            }
            else {
                out.append(String.format("\\%02x", b & 0xFF));
            }
        }
        out.append('"');
    }

    static void quote(StringBuilder out, String text) {
        quote(out, text.getBytes(StandardCharsets.UTF_8));
    }

    static void put(StringBuilder out, Schema schema) {
        if (schema == null) {
            out.append("none");
            return;
        }
        out.append(schema.type().toString().toLowerCase());
        if (schema.name() != null || schema.version() != null) {
            out.append('(').append(schema.name() == null ? "" : schema.name());
            out.append(schema.version() == null ? "" : " v" + schema.version()).append(')');
        }
        if (schema.doc() != null) {
            out.append('#');
            quote(out, schema.doc());
        }
        if (schema.parameters() != null) {
            new TreeMap<>(schema.parameters()).forEach((k, v) -> out.append('<').append(k).append('=').append(v).append('>'));
        }
        out.append(schema.isOptional() ? "?" : "");
        if (schema.defaultValue() != null) {
            out.append('=');
            put(out, schema, schema.defaultValue());
        }
        if (schema.type() == Schema.Type.STRUCT) {
            out.append('{');
            for (Field field : schema.fields()) {
                quote(out, field.name());
                out.append(':');
                put(out, field.schema());
                out.append(',');
            }
            out.append('}');
        }
        else if (schema.type() == Schema.Type.ARRAY || schema.type() == Schema.Type.MAP) {
            out.append('[');
            if (schema.type() == Schema.Type.MAP) {
                put(out, schema.keySchema());
                out.append(':');
            }
            put(out, schema.valueSchema());
            out.append(']');
        }
    }

    static void putDate(StringBuilder out, Schema schema, Date value) {
        String name = schema == null ? "" : String.valueOf(schema.name());
        if (DATE.equals(name)) {
            out.append(org.apache.kafka.connect.data.Date.fromLogical(schema, value));
        }
        else if (Time.LOGICAL_NAME.equals(name)) {
            out.append(Time.fromLogical(schema, value));
        }
        else if (Timestamp.LOGICAL_NAME.equals(name) || schema == null) {
            out.append(value.getTime());
        }
        else {
            throw new Unwritable("a date under " + schema);
        }
    }

    static void putMap(StringBuilder out, Schema schema, Map<?, ?> map) {
        TreeMap<String, String> sorted = new TreeMap<>();
        map.forEach((k, v) -> {
            StringBuilder key = new StringBuilder();
            StringBuilder item = new StringBuilder();
            put(key, schema == null ? null : schema.keySchema(), k);
            put(item, schema == null ? null : schema.valueSchema(), v);
            sorted.put(key.toString(), item.toString());
        });
        out.append('{');
        sorted.forEach((k, v) -> out.append(k).append(':').append(v).append(','));
        out.append('}');
    }

    static void put(StringBuilder out, Schema schema, Object value) {
        if (value == null) {
            out.append("null");
        }
        else if (value instanceof String) {
            quote(out, (String) value);
        }
        else if (value instanceof BigDecimal) {
            try {
                int scale = schema == null ? 0 : Integer.parseInt(schema.parameters().get("scale"));
                out.append("dec:").append(((BigDecimal) value).setScale(scale).unscaledValue());
            }
            catch (ArithmeticException e) {
                throw new Unwritable("a decimal of another scale");
            }
        }
        else if (value instanceof Date) {
            putDate(out, schema, (Date) value);
        }
        else if (value instanceof Float) {
            out.append("f").append(Integer.toHexString(Float.floatToIntBits((Float) value)));
        }
        else if (value instanceof Double) {
            out.append("d").append(Long.toHexString(Double.doubleToLongBits((Double) value)));
        }
        else if (value instanceof byte[] || value instanceof ByteBuffer) {
            byte[] bytes = value instanceof byte[] ? (byte[]) value : ((ByteBuffer) value).array();
            out.append("x");
            quote(out, bytes);
        }
        else if (value instanceof List) {
            out.append('[');
            for (Object item : (List<?>) value) {
                put(out, schema == null ? null : schema.valueSchema(), item);
                out.append(',');
            }
            out.append(']');
        }
        else if (value instanceof Map) {
            putMap(out, schema, (Map<?, ?>) value);
        }
        else if (value instanceof Struct) {
            Struct struct = (Struct) value;
            out.append('(');
            for (Field field : struct.schema().fields()) {
                put(out, field.schema(), struct.getWithoutDefault(field.name()));
                out.append(',');
            }
            out.append(')');
        }
        else {
            out.append(value);
        }
    }

    /** A list or map without a type for what it holds: no schema that a converter could write. */
    static boolean isPartial(Schema schema) {
        return schema == null || schema.type() == Schema.Type.ARRAY && isPartial(schema.valueSchema())
                || schema.type() == Schema.Type.MAP && (isPartial(schema.keySchema()) || isPartial(schema.valueSchema()));
    }

    static void putHeader(StringBuilder out, Header header) {
        out.append('\t').append(header.key()).append('=');
        Object value = header.value();
        if (header.schema() == null && value instanceof Long) {
            out.append("int64");
        }
        else if (header.schema() == null && value instanceof Double) {
            out.append("float64");
        }
        else if (header.schema() == null && (value instanceof Boolean || value instanceof String)) {
            out.append(value instanceof Boolean ? "boolean" : "string");
        }
        else {
            put(out, isPartial(header.schema()) ? null : header.schema());
        }
        out.append(' ');
        put(out, header.schema(), value);
    }

    static String text(SinkRecord record) {
        if (record == null) {
            return "drop";
        }
        StringBuilder out = new StringBuilder();
        quote(out, record.topic());
        out.append('\t').append(record.kafkaPartition()).append('\t').append(record.timestamp()).append('\t');
        put(out, record.keySchema());
        out.append('\t');
        put(out, record.keySchema(), record.key());
        out.append('\t');
        put(out, record.valueSchema());
        out.append('\t');
        put(out, record.valueSchema(), record.value());
        for (Header header : record.headers()) {
            putHeader(out, header);
        }
        return out.toString();
    }

    // ---- cases ----

    static Map<String, String> config(JsonNode node) {
        Map<String, String> config = new HashMap<>();
        node.get("config").fields().forEachRemaining(e -> config.put(e.getKey(), e.getValue().asText()));
        return config;
    }

    static JsonNode scripted; // the case whose script is compiled
    static Object script;

    @SuppressWarnings("unchecked")
    static String outcome(JsonNode node, SinkRecord record) throws Exception {
        Object made = node == scripted ? script : Class.forName(node.get("class").asText()).getDeclaredConstructor().newInstance();
        try {
            if (made instanceof Predicate) {
                ((Predicate<SinkRecord>) made).configure(config(node));
            }
            else if (made != script) {
                ((Transformation<SinkRecord>) made).configure(config(node));
            }
        }
        catch (Exception e) {
            return "refused\t" + e;
        }
        if (node.get("config").has("language")) { // compiling is slow, and the script knows nothing of earlier records
            scripted = node;
            script = made;
        }
        try {
            if (made instanceof Predicate) {
                boolean holds = ((Predicate<SinkRecord>) made).test(record);
                return String.valueOf(holds != node.path("negate").asBoolean());
            }
            return text(((Transformation<SinkRecord>) made).apply(record));
        }
        catch (Exception e) {
            return "fail\t" + e;
        }
    }

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        int n = 0;
        try (BufferedReader lines = Files.newBufferedReader(Path.of(args[0]));
                PrintStream out = new PrintStream(System.out, false, "UTF-8")) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode node = mapper.readTree(line);
                out.println("# " + n++);
                for (JsonNode record : node.get("records")) {
                    out.println(outcome(node, record(record)).replace('\n', ' '));
                }
            }
        }
    }
}
