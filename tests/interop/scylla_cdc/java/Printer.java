// SPDX-License-Identifier: Apache-2.0
import com.scylladb.cdc.lib.CDCConsumer;
import com.scylladb.cdc.model.TableName;
import com.scylladb.cdc.model.worker.ChangeSchema;
import com.scylladb.cdc.model.worker.RawChange;
import com.scylladb.cdc.model.worker.RawChangeConsumer;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/**
 * Prints every change of one table's CDC log as a JSON line, read by ScyllaDB's CDC library.
 * Arguments: HOST PORT KEYSPACE TABLE SECONDS.
 */
public final class Printer {
    public static void main(String[] arguments) throws Exception {
        RawChangeConsumer printer = change -> {
            print(change);
            return CompletableFuture.completedFuture(null);
        };
        CDCConsumer.Builder builder = CDCConsumer.builder()
                .addContactPoint(new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1])))
                .addTable(new TableName(arguments[2], arguments[3]))
                .withConsumer(printer)
                .withQueryTimeWindowSizeMs(20000)
                .withConfidenceWindowSizeMs(500)
                .withSleepBeforeFirstGenerationMs(500)
                .withSleepBeforeGenerationDoneMs(500)
                .withWorkersCount(1);
        try (CDCConsumer consumer = builder.build()) {
            consumer.validate().ifPresent(bad -> System.err.println("validate: " + bad));
            consumer.start();
            System.err.println("reading");
            Thread.sleep(1000L * Integer.parseInt(arguments[4]));
        }
        System.exit(0);
    }

    private static synchronized void print(RawChange change) {
        StringBuilder columns = new StringBuilder();
        TreeSet<String> deleted = new TreeSet<>();
        for (ChangeSchema.ColumnDefinition column : change.getSchema().getNonCdcColumnDefinitions()) {
            String name = column.getColumnName();
            columns.append(columns.length() == 0 ? "" : ", ").append(quote(name)).append(": ")
                    .append(quote(text(change.getAsObject(name))));
            ChangeSchema.ColumnKind kind = column.getBaseTableColumnKind();
            boolean key = kind == ChangeSchema.ColumnKind.PARTITION_KEY || kind == ChangeSchema.ColumnKind.CLUSTERING_KEY;
            if (!key && change.isDeleted(name))
                deleted.add(quote(name));
        }
        System.out.println("{\"stream\": " + quote(text(change.getId().getStreamId().getValue()))
                + ", \"time\": " + quote(change.getId().getChangeTime().getUUID().toString())
                + ", \"operation\": " + quote(change.getOperationType().toString()) + ", \"ttl\": " + change.getTTL()
                + ", \"columns\": {" + columns + "}, \"deleted\": " + deleted + "}");
        System.out.flush();
    }

    /** The text that all printers of these tests agree on. */
    private static String text(Object value) {
        if (value == null)
            return null;
        if (value instanceof ByteBuffer bytes) {
            StringBuilder hex = new StringBuilder();
            for (ByteBuffer left = bytes.duplicate(); left.hasRemaining();)
                hex.append(String.format("%02x", left.get()));
            return hex.toString();
        }
        if (value instanceof Map<?, ?> map) {
            List<String> all = new ArrayList<>();
            map.forEach((k, v) -> all.add(text(k) + "=" + text(v)));
            all.sort(null);
            return "{" + String.join(",", all) + "}";
        }
        if (value instanceof Collection<?> values) {
            List<String> all = new ArrayList<>();
            values.forEach(v -> all.add(text(v)));
            all.sort(null);
            return "[" + String.join(",", all) + "]";
        }
        return value.toString();
    }

    private static String quote(String text) {
        if (text == null)
            return "null";
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\')
                quoted.append('\\').append(c);
            else if (c < ' ')
                quoted.append(String.format("\\u%04x", (int) c));
            else
                quoted.append(c);
        }
        return quoted.append('"').toString();
    }
}
