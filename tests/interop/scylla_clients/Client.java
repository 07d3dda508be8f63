// SPDX-License-Identifier: Apache-2.0
import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.config.ProgrammaticDriverConfigLoaderBuilder;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchType;
import com.datastax.oss.driver.api.core.cql.ColumnDefinition;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.data.CqlDuration;
import com.datastax.oss.driver.api.core.data.TupleValue;
import com.datastax.oss.driver.api.core.data.UdtValue;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.metadata.schema.ColumnMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.KeyspaceMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.servererrors.AlreadyExistsException;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.driver.api.core.servererrors.OverloadedException;
import com.datastax.oss.driver.api.core.servererrors.ReadTimeoutException;
import com.datastax.oss.driver.api.core.servererrors.SyntaxError;
import com.datastax.oss.driver.api.core.servererrors.UnauthorizedException;
import com.datastax.oss.driver.api.core.servererrors.UnavailableException;
import com.datastax.oss.driver.api.core.servererrors.WriteTimeoutException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileInputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The Java 4 drivers, Apache's and ScyllaDB's. See README.md for the job. */
public final class Client {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter INSTANT =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private final JsonNode job;
    private final CqlSession session;

    private Client(JsonNode job) throws Exception {
        this.job = job;
        this.session = connect(job.get("password").asText());
    }

    private CqlSession connect(String password) throws Exception {
        ProgrammaticDriverConfigLoaderBuilder config = DriverConfigLoader.programmaticBuilder()
                .withString(DefaultDriverOption.LOAD_BALANCING_POLICY_CLASS, "DcInferringLoadBalancingPolicy")
                .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(20))
                .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, Duration.ofSeconds(20))
                // By default the driver reads the schema a second after each statement that changes it.
                .withDuration(DefaultDriverOption.METADATA_SCHEMA_WINDOW, Duration.ofMillis(10))
                .withString(DefaultDriverOption.REQUEST_CONSISTENCY, "ONE");
        if (job.get("lz4").asBoolean())
            config = config.withString(DefaultDriverOption.PROTOCOL_COMPRESSION, "lz4");
        CqlSessionBuilder builder = CqlSession.builder().withConfigLoader(config.build()).addContactPoint(
                new InetSocketAddress(job.get("hosts").get(0).asText(), job.get("port").asInt()));
        if (job.get("tls").asBoolean())
            builder.withSslContext(trust(job.get("cert").asText()));
        if (!job.get("user").asText().isEmpty())
            builder.withAuthCredentials(job.get("user").asText(), password);
        return builder.build();
    }

    private static SSLContext trust(String path) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream in = new FileInputStream(path)) {
            store.setCertificateEntry("server", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /** A native value in the job's form. */
    private static String text(Object value) {
        if (value == null)
            return null;
        if (value instanceof BigDecimal number)
            return number.toPlainString();
        if (value instanceof ByteBuffer bytes)
            return hex(bytes);
        if (value instanceof Instant at)
            return INSTANT.format(at);
        if (value instanceof LocalTime at)
            return at.format(DateTimeFormatter.ofPattern("HH:mm:ss.nnnnnnnnn"));
        if (value instanceof InetAddress address)
            return address.getHostAddress();
        if (value instanceof CqlDuration d)
            return d.getMonths() + "mo" + d.getDays() + "d" + d.getNanoseconds() + "ns";
        if (value instanceof TupleValue tuple) {
            List<String> parts = new ArrayList<>();
            for (int i = 0; i < tuple.size(); i++)
                parts.add(text(tuple.getObject(i)));
            return "(" + String.join(",", parts) + ")";
        }
        if (value instanceof UdtValue udt) {
            TreeSet<String> parts = new TreeSet<>();
            for (int i = 0; i < udt.size(); i++)
                parts.add(udt.getType().getFieldNames().get(i).asInternal() + "=" + text(udt.getObject(i)));
            return "<" + String.join(",", parts) + ">";
        }
        if (value instanceof Map<?, ?> map) {
            TreeSet<String> pairs = new TreeSet<>();
            map.forEach((k, v) -> pairs.add(text(k) + "=" + text(v)));
            return "{" + String.join(",", pairs) + "}";
        }
        if (value instanceof Set<?> set) {
            TreeSet<String> values = new TreeSet<>();
            set.forEach(v -> values.add(text(v)));
            return "[" + String.join(",", values) + "]";
        }
        if (value instanceof List<?> list) {
            List<String> values = new ArrayList<>();
            list.forEach(v -> values.add(text(v)));
            return "[" + String.join(",", values) + "]";
        }
        return value.toString();
    }

    private static String hex(ByteBuffer bytes) {
        StringBuilder hex = new StringBuilder();
        for (ByteBuffer left = bytes.duplicate(); left.hasRemaining();)
            hex.append(String.format("%02x", left.get()));
        return hex.toString();
    }

    private static ByteBuffer bytes(String hex) {
        ByteBuffer bytes = ByteBuffer.allocate(hex.length() / 2);
        for (int i = 0; i < hex.length(); i += 2)
            bytes.put((byte) Integer.parseInt(hex.substring(i, i + 2), 16));
        bytes.flip();
        return bytes;
    }

    private static Object nativeValue(JsonNode param) throws Exception {
        if (param.get("value").isNull())
            return null;
        String text = param.get("value").asText();
        switch (param.get("type").asText()) {
        case "int": return Integer.valueOf(text);
        case "bigint": return Long.valueOf(text);
        case "smallint": return Short.valueOf(text);
        case "tinyint": return Byte.valueOf(text);
        case "varint": return new BigInteger(text);
        case "double": return Double.valueOf(text);
        case "float": return Float.valueOf(text);
        case "decimal": return new BigDecimal(text);
        case "boolean": return Boolean.valueOf(text);
        case "blob": return bytes(text);
        case "uuid":
        case "timeuuid": return UUID.fromString(text);
        case "timestamp": return Instant.parse(text);
        case "date": return LocalDate.parse(text);
        case "time": return LocalTime.parse(text);
        case "inet": return InetAddress.getByName(text);
        case "map<text,text>": {
            Map<String, String> map = new HashMap<>();
            for (String pair : text.substring(1, text.length() - 1).split(","))
                map.put(pair.split("=")[0], pair.split("=")[1]);
            return map;
        }
        default: return text;
        }
    }

    private static ObjectNode answer(ResultSet rows) {
        ObjectNode line = JSON.createObjectNode();
        ArrayNode columns = line.putArray("columns");
        for (ColumnDefinition column : rows.getColumnDefinitions())
            columns.add(column.getName().asInternal());
        ArrayNode all = line.putArray("rows");
        for (Row row : rows) {
            ArrayNode cells = all.addArray();
            for (int i = 0; i < columns.size(); i++)
                cells.add(text(row.getObject(i)));
        }
        return line;
    }

    private ObjectNode prepared(JsonNode step) throws Exception {
        PreparedStatement statement = session.prepare(step.get("cql").asText());
        ObjectNode line = JSON.createObjectNode();
        ArrayNode runs = line.putArray("runs");
        for (JsonNode run : step.get("runs")) {
            List<Object> values = new ArrayList<>();
            for (JsonNode param : run)
                values.add(nativeValue(param));
            runs.add(answer(session.execute(statement.bind(values.toArray()))));
        }
        return line;
    }

    private ObjectNode schema(String keyspace) {
        session.refreshSchema();
        KeyspaceMetadata found = session.getMetadata().getKeyspace(keyspace).orElseThrow();
        ObjectNode line = JSON.createObjectNode();
        ObjectNode tables = line.putObject("tables");
        for (TableMetadata table : found.getTables().values()) {
            if (table.getName().asInternal().endsWith("_scylla_cdc_log"))
                continue;
            ObjectNode one = tables.putObject(table.getName().asInternal());
            ArrayNode partition = one.putArray("partition");
            table.getPartitionKey().forEach(c -> partition.add(c.getName().asInternal()));
            ArrayNode clustering = one.putArray("clustering");
            table.getClusteringColumns().keySet().forEach(c -> clustering.add(c.getName().asInternal()));
            ObjectNode columns = one.putObject("columns");
            for (ColumnMetadata column : table.getColumns().values())
                columns.put(column.getName().asInternal(), column.getType().asCql(true, false).replace(" ", ""));
        }
        ArrayNode types = line.putArray("types");
        new TreeSet<>(found.getUserDefinedTypes().keySet().stream().map(n -> n.asInternal()).toList())
                .forEach(types::add);
        return line;
    }

    private ObjectNode wrongPassword() throws Exception {
        try (CqlSession other = connect("guess")) {
            return JSON.createObjectNode().put("refused", false);
        } catch (AllNodesFailedException error) {
            return JSON.createObjectNode().put("refused", error.toString().contains("incorrect"));
        }
    }

    private ObjectNode play(JsonNode step) throws Exception {
        String cql = step.path("cql").asText();
        switch (step.get("op").asText()) {
        case "run": session.execute(cql); return JSON.createObjectNode();
        case "query":
            return answer(session.execute(SimpleStatement.newInstance(cql).setPageSize(step.path("page").asInt(5000))));
        case "prepared": return prepared(step);
        case "batch": {
            BatchStatement batch = BatchStatement.newInstance(BatchType.LOGGED);
            for (JsonNode one : step.get("cqls"))
                batch = batch.add(SimpleStatement.newInstance(one.asText()));
            session.execute(batch);
            return JSON.createObjectNode();
        }
        case "schema": return schema(step.get("keyspace").asText());
        case "protocol":
            return JSON.createObjectNode().put("version", session.getContext().getProtocolVersion().getCode());
        case "hosts": {
            TreeSet<String> hosts = new TreeSet<>();
            for (Node node : session.getMetadata().getNodes().values())
                hosts.add(((InetSocketAddress) node.getEndPoint().resolve()).getAddress().getHostAddress());
            ObjectNode line = JSON.createObjectNode();
            hosts.forEach(line.putArray("hosts")::add);
            return line;
        }
        case "wrong_password": return wrongPassword();
        default: throw new IllegalArgumentException(step.toString());
        }
    }

    private static int code(Throwable error) {
        return error instanceof SyntaxError ? 0x2000
                : error instanceof UnauthorizedException ? 0x2100
                : error instanceof InvalidQueryException ? 0x2200
                : error instanceof AlreadyExistsException ? 0x2400
                : error instanceof ReadTimeoutException ? 0x1200
                : error instanceof WriteTimeoutException ? 0x1100
                : error instanceof UnavailableException ? 0x1000
                : error instanceof OverloadedException ? 0x1001 : -1;
    }

    public static void main(String[] arguments) throws Exception {
        JsonNode job = JSON.readTree(System.in);
        Client client = new Client(job);
        for (JsonNode step : job.get("steps")) {
            ObjectNode line;
            try {
                line = client.play(step);
            } catch (RuntimeException error) {
                line = JSON.createObjectNode().put("error", code(error)).put("text", error.toString());
            }
            System.out.println(JSON.writeValueAsString(line));
        }
        client.session.close();
        System.exit(0);
    }
}
