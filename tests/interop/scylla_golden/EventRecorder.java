// SPDX-License-Identifier: Apache-2.0
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceConnectorContext;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTaskContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;

/**
 * PROPERTIES OUT.jsonl IDLE_SECONDS: run a source connector of Kafka Connect without a broker and write one JSON line an event:
 * topic, key and value with their schemas, headers, partition and offset. Offsets stay in memory, so each run begins anew.
 * Heartbeats are left out. Ends when nothing came for IDLE_SECONDS: 0; 1: a task failed; 2: the configuration was refused.
 */
public final class EventRecorder implements SourceConnectorContext, OffsetStorageReader {
    private final Map<String, String> settings;
    private final Map<Map<String, ?>, Map<String, Object>> offsets = new ConcurrentHashMap<>();
    private final ExecutorService control = Executors.newSingleThreadExecutor(work -> daemon(work, "control"));
    private final SourceConnector connector;
    private final JsonConverter keys = new JsonConverter();
    private final JsonConverter values = new JsonConverter();
    private final ObjectMapper json = new ObjectMapper();
    private final Writer out;
    private List<Thread> tasks = List.of();
    private Round round = new Round();
    private volatile Throwable failure;
    private volatile long last = System.nanoTime();

    /** What tells the tasks of one configuration to end. */
    private static final class Round {
        volatile boolean over;
    }

    private EventRecorder(Map<String, String> settings, Writer out) throws Exception {
        this.settings = settings;
        this.out = out;
        connector = (SourceConnector) make(settings.get("connector.class"));
        keys.configure(Map.of("schemas.enable", "true"), true);
        values.configure(Map.of("schemas.enable", "true"), false);
    }

    private static Object make(String type) throws Exception {
        return Class.forName(type).getDeclaredConstructor().newInstance();
    }

    private static Thread daemon(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    // What Connect offers to a connector.

    @Override
    public void requestTaskReconfiguration() {
        control.execute(this::reconfigure);
    }

    @Override
    public void raiseError(Exception error) {
        failure = error;
    }

    @Override
    public OffsetStorageReader offsetStorageReader() {
        return this;
    }

    @Override
    public <T> Map<String, Object> offset(Map<String, T> partition) {
        return offsets.get(partition);
    }

    @Override
    public <T> Map<Map<String, T>, Map<String, Object>> offsets(Collection<Map<String, T>> partitions) {
        Map<Map<String, T>, Map<String, Object>> found = new HashMap<>();
        for (Map<String, T> partition : partitions) {
            found.put(partition, offsets.get(partition)); // null for one that is not known, as Connect answers
        }
        return found;
    }

    // Tasks.

    private void reconfigure() {
        try {
            round.over = true;
            for (Thread task : tasks) {
                task.join(10_000);
            }
            Round now = new Round();
            List<Thread> started = new ArrayList<>();
            for (Map<String, String> config : connector.taskConfigs(Integer.parseInt(settings.get("tasks.max")))) {
                started.add(daemon(() -> run(config, now), "task-" + started.size()));
            }
            round = now;
            tasks = started;
            started.forEach(Thread::start);
        } catch (Exception error) {
            failure = error;
        }
    }

    private void run(Map<String, String> config, Round mine) {
        try {
            SourceTask task = (SourceTask) make(connector.taskClass().getName());
            task.initialize(new SourceTaskContext() {
                @Override
                public Map<String, String> configs() {
                    return config;
                }

                @Override
                public OffsetStorageReader offsetStorageReader() {
                    return EventRecorder.this;
                }
            });
            task.start(config);
            while (!mine.over) {
                List<SourceRecord> records = task.poll();
                for (SourceRecord record : records == null ? List.<SourceRecord>of() : records) {
                    write(record);
                    offsets.put(new HashMap<>(record.sourcePartition()), new HashMap<>(record.sourceOffset()));
                    task.commitRecord(record, null);
                }
                task.commit();
            }
            task.stop();
        } catch (Throwable error) {
            error.printStackTrace();
            failure = error;
        }
    }

    private JsonNode tree(JsonConverter converter, String topic, Schema schema, Object value) throws IOException {
        return value == null ? null : json.readTree(converter.fromConnectData(topic, schema, value));
    }

    private synchronized void write(SourceRecord record) {
        if (record.topic().startsWith("__debezium-heartbeat")) {
            return;
        }
        try {
            ObjectNode line = json.createObjectNode().put("topic", record.topic());
            ObjectNode headers = json.createObjectNode();
            record.headers().forEach(header -> headers.put(header.key(), String.valueOf(header.value())));
            line.set("headers", headers);
            line.set("key", tree(keys, record.topic(), record.keySchema(), record.key()));
            line.set("value", tree(values, record.topic(), record.valueSchema(), record.value()));
            line.set("sourcePartition", json.valueToTree(record.sourcePartition()));
            line.set("sourceOffset", json.valueToTree(record.sourceOffset()));
            out.write(json.writeValueAsString(line) + "\n");
            out.flush();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        last = System.nanoTime();
    }

    private int record(long idleNanos) throws InterruptedException {
        List<String> refusals = new ArrayList<>();
        connector.validate(settings).configValues().forEach(value ->
            value.errorMessages().forEach(message -> refusals.add(value.name() + ": " + message)));
        if (!refusals.isEmpty()) {
            System.err.println("refused: " + refusals);
            return 2;
        }
        connector.initialize(this);
        connector.start(settings);
        while (failure == null && System.nanoTime() - last < idleNanos) {
            Thread.sleep(100);
        }
        if (failure != null) {
            System.err.println("failed: " + failure);
        }
        return failure == null ? 0 : 1;
    }

    public static void main(String[] arguments) throws Exception {
        Properties file = new Properties();
        try (Reader in = Files.newBufferedReader(Path.of(arguments[0]), StandardCharsets.UTF_8)) {
            file.load(in);
        }
        Map<String, String> settings = new HashMap<>();
        file.forEach((key, value) -> settings.put((String) key, (String) value));
        try (Writer out = Files.newBufferedWriter(Path.of(arguments[1]), StandardCharsets.UTF_8)) {
            System.exit(new EventRecorder(settings, out).record(Long.parseLong(arguments[2]) * 1_000_000_000L));
        }
    }
}
