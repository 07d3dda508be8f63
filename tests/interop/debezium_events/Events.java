// SPDX-License-Identifier: Apache-2.0
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.PrintWriter;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * PROPERTIES OUT.jsonl OFFSET IDLE_SECONDS: Debezium's SQL Server connector in the embedded engine, one JSON line an event with
 * its schemas, and the last source offset in the file OFFSET. Ends when nothing came for IDLE_SECONDS after the first event, for how
 * long a start takes is the machine's business. The twin of harness/source_events.c.
 */
public final class Events {
    private final JsonConverter keys = new JsonConverter();
    private final JsonConverter values = new JsonConverter();
    private final PrintWriter out;
    private final Path offset;
    private final AtomicLong last = new AtomicLong();
    private volatile boolean begun;

    private Events(Path out, Path offset) throws Exception {
        this.out = new PrintWriter(Files.newBufferedWriter(out));
        this.offset = offset;
        keys.configure(Map.of("schemas.enable", "true"), true);
        values.configure(Map.of("schemas.enable", "true"), false);
    }

    private static String text(JsonConverter converter, String topic, Schema schema, Object value) {
        byte[] bytes = converter.fromConnectData(topic, schema, value);
        return bytes == null ? "null" : new String(bytes, StandardCharsets.UTF_8);
    }

    private void write(SourceRecord record) throws Exception {
        StringBuilder line = new StringBuilder("{\"topic\":\"").append(record.topic()).append("\",\"headers\":{");
        String comma = "";
        for (Header header : record.headers()) {
            line.append(comma).append('"').append(header.key()).append("\":")
                .append(text(values, record.topic(), header.schema(), header.value()));
            comma = ",";
        }
        line.append("},\"key\":").append(text(keys, record.topic(), record.keySchema(), record.key()));
        line.append(",\"value\":").append(text(values, record.topic(), record.valueSchema(), record.value())).append('}');
        out.println(line);
        Files.writeString(offset, record.sourceOffset().toString());
        last.set(System.nanoTime());
        begun = true;
    }

    private void run(Properties properties, long idleNanos) throws Exception {
        DebeziumEngine<RecordChangeEvent<SourceRecord>> engine =
            DebeziumEngine.create(ChangeEventFormat.of(Connect.class)).using(properties).notifying((records, committer) -> {
                for (RecordChangeEvent<SourceRecord> event : records) {
                    try {
                        write(event.record());
                    } catch (Exception failure) {
                        throw new IllegalStateException(failure);
                    }
                    committer.markProcessed(event);
                }
                out.flush();
                committer.markBatchFinished();
            }).using((ok, message, error) -> {
                if (!ok) {
                    System.err.println(message);
                    if (error != null) {
                        error.printStackTrace();
                    }
                    System.exit(1);
                }
            }).build();
        ExecutorService runner = Executors.newSingleThreadExecutor();
        runner.execute(engine);
        while (!begun || System.nanoTime() - last.get() < idleNanos) {
            Thread.sleep(100);
        }
        engine.close();
        runner.shutdown();
        runner.awaitTermination(30, TimeUnit.SECONDS);
        out.close();
    }

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(arguments[0]))) {
            properties.load(reader);
        }
        new Events(Path.of(arguments[1]), Path.of(arguments[2])).run(properties, Long.parseLong(arguments[3]) * 1_000_000_000L);
        System.exit(0);
    }
}
