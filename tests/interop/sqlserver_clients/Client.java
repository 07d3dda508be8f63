// SPDX-License-Identifier: Apache-2.0
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** mssql-jdbc. See README.md for the job. */
public class Client {
    private final Map<String, Object> job;
    private final Connection connection;

    private Client(Map<String, Object> job) throws SQLException {
        this.job = job;
        this.connection = connect((String) job.get("password"));
    }

    private Connection connect(String password) throws SQLException {
        return DriverManager.getConnection("jdbc:sqlserver://" + job.get("host") + ":" + job.get("port")
            + ";databaseName=master;encrypt=" + job.get("encrypt") + ";trustServerCertificate=true;loginTimeout=20"
            + ";connectRetryCount=0;sendTimeAsDatetime=false", (String) job.get("user"), password);
    }

    private static String toText(ResultSet rows, int i, String type) throws SQLException {
        switch (type) {
            case "bit": {
                boolean bit = rows.getBoolean(i);
                return rows.wasNull() ? null : bit ? "1" : "0";
            }
            case "date": return text(rows.getObject(i, LocalDate.class));
            case "time": return text(rows.getObject(i, LocalTime.class));
            case "datetime", "datetime2", "smalldatetime": return text(rows.getObject(i, LocalDateTime.class));
            case "datetimeoffset": return text(rows.getObject(i, OffsetDateTime.class));
            case "decimal", "numeric", "money", "smallmoney": {
                BigDecimal decimal = rows.getBigDecimal(i);
                return decimal == null ? null : decimal.toPlainString();
            }
            case "binary", "varbinary", "image", "timestamp", "hierarchyid", "geometry", "geography": {
                byte[] bytes = rows.getBytes(i);
                return bytes == null ? null : HexFormat.of().withUpperCase().formatHex(bytes);
            }
            default: return rows.getString(i);
        }
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }

    private static Map<String, Object> read(ResultSet rows) throws SQLException {
        ResultSetMetaData meta = rows.getMetaData();
        List<Object> names = new ArrayList<>();
        for (int i = 1; i <= meta.getColumnCount(); i++)
            names.add(meta.getColumnLabel(i));
        List<Object> all = new ArrayList<>();
        while (rows.next()) {
            List<Object> row = new ArrayList<>();
            for (int i = 1; i <= meta.getColumnCount(); i++)
                row.add(toText(rows, i, meta.getColumnTypeName(i)));
            all.add(row);
        }
        return Map.of("columns", names, "rows", all);
    }

    /** Every result set; an error ends them. */
    private static Map<String, Object> readAll(Statement statement, Executed execute) {
        List<Object> results = new ArrayList<>();
        try {
            boolean rows = execute.run();
            while (rows || statement.getUpdateCount() != -1) {
                if (rows)
                    results.add(read(statement.getResultSet()));
                rows = statement.getMoreResults();
            }
            return Map.of("results", results);
        } catch (SQLException error) {
            return Map.of("results", results, "error", error.getErrorCode());
        }
    }

    private interface Executed {
        boolean run() throws SQLException;
    }

    private static void set(PreparedStatement statement, int i, Map<String, Object> param) throws SQLException {
        String type = (String) param.get("type");
        String value = (String) param.get("value");
        switch (type) {
            case "bit": statement.setObject(i, value == null ? null : value.equals("1"), Types.BIT); break;
            case "tinyint", "smallint", "int":
                statement.setObject(i, value == null ? null : Integer.valueOf(value), Types.INTEGER);
                break;
            case "bigint": statement.setObject(i, value == null ? null : Long.valueOf(value), Types.BIGINT); break;
            case "real": statement.setObject(i, value == null ? null : Float.valueOf(value), Types.REAL); break;
            case "float": statement.setObject(i, value == null ? null : Double.valueOf(value), Types.DOUBLE); break;
            case "decimal", "numeric", "money", "smallmoney":
                statement.setBigDecimal(i, value == null ? null : new BigDecimal(value));
                break;
            case "binary", "varbinary", "image": statement.setBytes(i, value == null ? null : HexFormat.of().parseHex(value)); break;
            case "uniqueidentifier":
                statement.setObject(i, value, microsoft.sql.Types.GUID);
                break;
            case "date": statement.setObject(i, value == null ? null : LocalDate.parse(value), Types.DATE); break;
            case "time": statement.setObject(i, value == null ? null : LocalTime.parse(value), Types.TIME); break;
            case "datetime", "datetime2", "smalldatetime":
                statement.setObject(i, value == null ? null : LocalDateTime.parse(value), Types.TIMESTAMP);
                break;
            case "datetimeoffset":
                if (value == null)
                    statement.setNull(i, microsoft.sql.Types.DATETIMEOFFSET);
                else
                    statement.setObject(i, OffsetDateTime.parse(value));
                break;
            default: statement.setNString(i, value);
        }
    }

    private static String placeMarks(String sql, int n) {
        for (int i = 0; i < n; i++)
            sql = sql.replace("{" + i + "}", "?");
        return sql;
    }

    private static Map<String, Object> run(PreparedStatement statement, List<Map<String, Object>> params)
        throws SQLException {
        for (int i = 0; i < params.size(); i++)
            set(statement, i + 1, params.get(i));
        return readAll(statement, statement::execute);
    }

    private Map<String, Object> prepared(Map<String, Object> step) throws SQLException {
        List<List<Map<String, Object>>> runs = Json.cast(step.get("runs"));
        List<Object> results = new ArrayList<>();
        try (PreparedStatement statement =
                 connection.prepareStatement(placeMarks((String) step.get("sql"), runs.get(0).size()))) {
            for (List<Map<String, Object>> params : runs)
                results.add(run(statement, params).get("results"));
        }
        return Map.of("runs", results);
    }

    private Map<String, Object> query(Map<String, Object> step) throws SQLException {
        List<Map<String, Object>> params = Json.cast(step.get("params"));
        try (PreparedStatement statement =
                 connection.prepareStatement(placeMarks((String) step.get("sql"), params.size()))) {
            return run(statement, params);
        }
    }

    private Map<String, Object> batch(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return readAll(statement, () -> statement.execute(sql));
        }
    }

    private Map<String, Object> cancelled(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            return Map.of("cancelled", readAll(statement, () -> statement.execute(sql)).containsKey("error"));
        }
    }

    private Map<String, Object> wrongPassword() {
        try (Connection wrong = connect("not the password")) {
            return Map.of();
        } catch (SQLException error) {
            return Map.of("error", error.getErrorCode());
        }
    }

    private Map<String, Object> play(Map<String, Object> step) throws SQLException {
        switch ((String) step.get("op")) {
            case "batch": return batch((String) step.get("sql"));
            case "query": return query(step);
            case "cancelled": return cancelled((String) step.get("sql"));
            case "prepared": return prepared(step);
            case "begin": connection.setAutoCommit(false); return Map.of();
            case "commit": connection.commit(); connection.setAutoCommit(true); return Map.of();
            case "rollback": connection.rollback(); connection.setAutoCommit(true); return Map.of();
            default: return wrongPassword();
        }
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Map<String, Object> job = Json.cast(Json.parse(new String(System.in.readAllBytes(), StandardCharsets.UTF_8)));
        Client client = new Client(job);
        List<Map<String, Object>> steps = Json.cast(job.get("steps"));
        for (Map<String, Object> step : steps)
            out.println(Json.write(client.play(step)));
        client.connection.close();
    }

    /** As much JSON as a job needs. */
    private static final class Json {
        private final String text;
        private int at;

        private Json(String text) {
            this.text = text;
        }

        @SuppressWarnings("unchecked")
        static <T> T cast(Object value) {
            return (T) value;
        }

        static Object parse(String text) {
            return new Json(text).value();
        }

        private char skip() {
            while (Character.isWhitespace(text.charAt(at)) || text.charAt(at) == ',' || text.charAt(at) == ':')
                at++;
            return text.charAt(at);
        }

        private Object value() {
            char first = skip();
            if (first == '{') {
                Map<String, Object> map = new java.util.HashMap<>();
                for (at++; skip() != '}';) {
                    String key = string();
                    map.put(key, value());
                }
                at++;
                return map;
            }
            if (first == '[') {
                List<Object> list = new ArrayList<>();
                for (at++; skip() != ']';)
                    list.add(value());
                at++;
                return list;
            }
            if (first == '"')
                return string();
            int begin = at;
            while (at < text.length() && "-+.eE0123456789truefalsn".indexOf(text.charAt(at)) >= 0)
                at++;
            String word = text.substring(begin, at);
            return word.equals("null") ? null : word.equals("true") || word.equals("false") ? Boolean.valueOf(word)
                : (Object) Long.valueOf(word);
        }

        private String string() {
            StringBuilder out = new StringBuilder();
            skip();
            for (at++; text.charAt(at) != '"'; at++) {
                char c = text.charAt(at);
                if (c != '\\') {
                    out.append(c);
                    continue;
                }
                c = text.charAt(++at);
                switch (c) {
                    case 'n': out.append('\n'); break;
                    case 't': out.append('\t'); break;
                    case 'r': out.append('\r'); break;
                    case 'u':
                        out.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                        at += 4;
                        break;
                    default: out.append(c);
                }
            }
            at++;
            return out.toString();
        }

        static String write(Object value) {
            if (value == null || value instanceof Number || value instanceof Boolean)
                return String.valueOf(value);
            StringBuilder out = new StringBuilder();
            if (value instanceof Map<?, ?> map) {
                map.forEach((k, v) -> out.append(out.length() == 0 ? "" : ",").append(write(k)).append(':').append(write(v)));
                return "{" + out + "}";
            }
            if (value instanceof List<?> list) {
                list.forEach(v -> out.append(out.length() == 0 ? "" : ",").append(write(v)));
                return "[" + out + "]";
            }
            for (char c : value.toString().toCharArray())
                out.append(c < ' ' || c == '"' || c == '\\' || c > 126 ? String.format("\\u%04x", (int) c) : String.valueOf(c));
            return "\"" + out + "\"";
        }
    }
}
