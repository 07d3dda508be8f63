/* SPDX-License-Identifier: Apache-2.0 */
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.header.Headers;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * args: RELEASE CASES: sends the same events as transform_dump.c through the original that a case names (type=, else
 * ExtractNewRecordState), and prints what comes out.
 */
public final class Transforms {
    static final Schema ROW = SchemaBuilder.struct().name("srv.shop.dbo.things.Value").optional()
            .field("id", Schema.INT32_SCHEMA)
            .field("name", Schema.OPTIONAL_STRING_SCHEMA)
            .field("qty", SchemaBuilder.int32().optional().defaultValue(5).build())
            .build();
    static final Schema SOURCE = SchemaBuilder.struct().name("io.debezium.connector.sqlserver.Source").version(1)
            .field("table", Schema.STRING_SCHEMA)
            .field("ts_ms", Schema.INT64_SCHEMA)
            .build();
    static final Schema TRANSACTION = SchemaBuilder.struct().name("event.block").version(1).optional()
            .field("id", Schema.STRING_SCHEMA)
            .field("total_order", Schema.INT64_SCHEMA)
            .field("data_collection_order", Schema.INT64_SCHEMA)
            .build();
    static final Schema ENVELOPE = SchemaBuilder.struct().name("srv.shop.dbo.things.Envelope").version(2)
            .field("before", ROW).field("after", ROW).field("source", SOURCE).field("transaction", TRANSACTION)
            .field("op", Schema.STRING_SCHEMA)
            .field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA)
            .field("ts_us", Schema.OPTIONAL_INT64_SCHEMA)
            .field("ts_ns", Schema.OPTIONAL_INT64_SCHEMA)
            .build();
    static final Schema KEY = SchemaBuilder.struct().name("srv.shop.dbo.things.Key")
            .field("id", Schema.INT32_SCHEMA)
            .field("shard", Schema.OPTIONAL_INT32_SCHEMA)
            .build();
    static final Schema HEARTBEAT = SchemaBuilder.struct().name("io.debezium.connector.common.Heartbeat")
            .field("ts_ms", Schema.INT64_SCHEMA)
            .build();

    static SinkRecord record(Schema schema, Object value, int id, Headers headers) {
        return new SinkRecord("srv.shop.dbo.things", 0, KEY, new Struct(KEY).put("id", id).put("shard", 7), schema,
                value, 0, 1L, TimestampType.CREATE_TIME, headers);
    }

    static SinkRecord event(char op, int id, String name, Headers headers) {
        Struct row = new Struct(ROW).put("id", id).put("name", name).put("qty", null);
        Struct envelope = new Struct(ENVELOPE)
                .put("source", new Struct(SOURCE).put("table", "things").put("ts_ms", 99L))
                .put("op", String.valueOf(op))
                .put("ts_ms", 1234L);
        if (op != 't') {
            envelope.put(op == 'd' ? "before" : "after", row);
        }
        return record(ENVELOPE, envelope, id, headers);
    }

    static Headers drop() {
        Headers headers = new ConnectHeaders();
        headers.addList("drop", List.of("name", "id", "__op"), SchemaBuilder.array(Schema.STRING_SCHEMA).build());
        return headers;
    }

    static List<SinkRecord> events() {
        return List.of(event('c', 1, "a", null), event('u', 1, "b", null), event('r', 1, null, null),
                event('d', 2, "c", null), record(null, null, 2, null), event('t', 3, null, null),
                record(HEARTBEAT, new Struct(HEARTBEAT).put("ts_ms", 5L), 1, null), event('c', 4, "d", drop()),
                event('d', 4, "d", drop()), event('c', 5, " ", null),
                record(ROW, new Struct(ROW).put("id", 6).put("name", null).put("qty", null), 6, null));
    }

    static String text(Schema schema) {
        if (schema == null) {
            return "none";
        }
        StringBuilder text = new StringBuilder(schema.type().toString().toLowerCase());
        if (schema.name() != null) {
            text.append("(").append(schema.name());
            text.append(schema.version() != null ? " v" + schema.version() : "").append(")");
        }
        text.append(schema.isOptional() ? "?" : "");
        text.append(schema.defaultValue() != null ? "=" + schema.defaultValue() : "");
        if (schema.type() == Schema.Type.STRUCT) {
            text.append("{");
            for (Field field : schema.fields()) {
                text.append(field.index() > 0 ? "," : "").append(field.name()).append(":").append(text(field.schema()));
            }
            text.append("}");
        }
        return text.toString();
    }

    static String text(Object value) {
        if (value instanceof Date) {
            return String.valueOf(((Date) value).getTime());
        }
        if (!(value instanceof Struct)) {
            return String.valueOf(value);
        }
        Struct struct = (Struct) value;
        StringBuilder text = new StringBuilder("{");
        for (Field field : struct.schema().fields()) {
            text.append(field.index() > 0 ? "," : "").append(field.name()).append(":");
            text.append(text(struct.getWithoutDefault(field.name())));
        }
        return text.append("}").toString();
    }

    static String outcome(Transformation<SinkRecord> transform, SinkRecord record) {
        SinkRecord out;
        try {
            out = transform.apply(record);
        }
        catch (Exception e) {
            return "fail";
        }
        if (out == null) {
            return "drop";
        }
        StringBuilder headers = new StringBuilder();
        for (Header header : out.headers()) {
            if (!header.key().equals("drop")) {
                headers.append(" ").append(header.key()).append(":").append(text(header.value())).append(":");
                headers.append(text(header.schema()));
            }
        }
        return out.topic() + " " + text(out.keySchema()) + " " + text(out.key()) + " " + text(out.valueSchema()) + " "
                + text(out.value()) + headers;
    }

    @SuppressWarnings("unchecked")
    static Transformation<SinkRecord> make(String type) throws Exception {
        return (Transformation<SinkRecord>) Class.forName(type).getDeclaredConstructor().newInstance();
    }

    static void run(String line) throws Exception {
        Map<String, String> config = new HashMap<>();
        for (String pair : line.split(";")) {
            config.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
        }
        String type = config.remove("type");
        Transformation<SinkRecord> transform =
                make(type == null ? "io.debezium.transforms.ExtractNewRecordState" : type);
        try {
            transform.configure(config);
        }
        catch (Exception e) {
            System.out.println("refused");
            return;
        }
        for (SinkRecord record : events()) {
            System.out.println(outcome(transform, record));
        }
    }

    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Path.of(args[1]))) {
            if (line.startsWith(args[0] + " ")) {
                System.out.println("# " + line);
                run(line.substring(args[0].length() + 1));
            }
        }
    }
}
