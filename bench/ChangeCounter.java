// SPDX-License-Identifier: Apache-2.0
import com.scylladb.cdc.lib.CDCConsumer;
import com.scylladb.cdc.model.TableName;
import com.scylladb.cdc.model.worker.ChangeSchema;
import com.scylladb.cdc.model.worker.RawChange;
import com.scylladb.cdc.model.worker.RawChangeConsumer;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reads a table's change log with ScyllaDB's library, looks at every value, prints nothing but how many rows it has seen,
 * a line every tenth of a second. Arguments: HOST PORT KEYSPACE TABLE.
 */
public final class ChangeCounter {
    private static final AtomicLong seen = new AtomicLong();
    private static volatile int kept;

    public static void main(String[] arguments) throws Exception {
        RawChangeConsumer counter = change -> {
            look(change);
            return CompletableFuture.completedFuture(null);
        };
        CDCConsumer.Builder builder = CDCConsumer.builder()
                .addContactPoint(new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1])))
                .addTable(new TableName(arguments[2], arguments[3]))
                .withConsumer(counter)
                .withQueryTimeWindowSizeMs(30000)
                .withConfidenceWindowSizeMs(1000)
                .withWorkersCount(1);
        try (CDCConsumer consumer = builder.build()) {
            consumer.start();
            for (;;) {
                System.out.println(seen.get());
                Thread.sleep(100);
            }
        }
    }

    private static void look(RawChange change) {
        int hash = change.getOperationType().hashCode();
        for (ChangeSchema.ColumnDefinition column : change.getSchema().getNonCdcColumnDefinitions()) {
            Object value = change.getAsObject(column.getColumnName());
            hash += value == null ? 0 : value.hashCode();
        }
        kept = hash;
        seen.incrementAndGet();
    }
}
