// SPDX-License-Identifier: Apache-2.0
// Reads the lines of converter_dump and does the same with Kafka's JsonConverter, AvroData and Avro's own writer.
// Prints a line for each difference, and at the end how many were compared. With "read" in front: pairs of lines from the
// files that are named, Avro schemas and what converter_dump read read of them. The other arguments are its options.

import com.fasterxml.jackson.databind.ObjectMapper;
import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.AvroTypeException;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

public class Converters {
    private static int differences = 0;

    private static void compare(String what, String theirs, String ours) {
        if (theirs.equals(ours)) {
            return;
        }
        differences++;
        if (differences <= 5) {
            System.out.println(what + "\n  theirs " + theirs + "\n  ours   " + ours);
        }
    }

    private static AvroData avroData(List<String> options) {
        return new AvroData(new AvroDataConfig(Map.of("schemas.cache.config", 10, "enhanced.avro.schema.support",
                options.contains("enhanced.avro.schema.support"), "connect.meta.data",
                !options.contains("connect.meta.data=false"))));
    }

    private static String read(AvroData data, JsonConverter json, String text) {
        try {
            org.apache.avro.Schema avro = new org.apache.avro.Schema.Parser().setValidateDefaults(true).parse(text);
            return json.asJsonSchema(data.toConnectSchema(avro)).toString();
        } catch (AvroTypeException e) {
            return "no schema: " + e; // a default that does not fit
        } catch (RuntimeException | StackOverflowError e) {
            return "refused " + e;
        }
    }

    private static Object tree(String text) throws Exception {
        return new ObjectMapper().readTree(text);
    }

    private static void readAll(List<String> asked, List<String> answered, List<String> options)
            throws Exception {
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", "true", "converter.type", "value"), false);
        int refused = 0;
        for (int i = 0; i < asked.size(); i++) {
            String theirs = read(avroData(options), json, asked.get(i));
            String ours = answered.get(i);
            // Apicurio's copy of AvroData cannot read a default of a union, as Confluent's own can.
            if (theirs.startsWith("no schema") || theirs.contains("Mismatching schema") || theirs.startsWith("refused") && ours.startsWith("refused")) {
                refused++;
                continue;
            }
            // As trees: the parameters of an enum come in no order of theirs.
            if (theirs.startsWith("refused") || ours.startsWith("refused") || !tree(theirs).equals(tree(ours))) {
                compare("reading " + asked.get(i), theirs, ours);
            }
        }
        System.out.println(asked.size() + " read, " + refused + " refused, " + differences + " differences");
    }

    public static void main(String[] arguments) throws Exception {
        List<String> options = List.of(arguments);
        if (options.contains("read")) {
            readAll(Files.readAllLines(Path.of(arguments[1])), Files.readAllLines(Path.of(arguments[2])), options);
            return;
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", "true", "converter.type", "value"), false);
        int schemas = 0;
        int values = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", -1);
            SchemaAndValue read = json.toConnectData("t", parts[0].getBytes(StandardCharsets.UTF_8));
            AvroData avro = avroData(options);
            org.apache.avro.Schema schema = avro.fromConnectSchema(read.schema());
            compare("schema text", schema.toString(), parts[1]);
            schemas++;
            if (parts[0].contains("\"map\"")) {
                continue; // Java's maps come out in another order
            }
            compare("json", new String(json.fromConnectData("t", read.schema(), read.value()), StandardCharsets.UTF_8),
                    parts[0]);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
            new GenericDatumWriter<Object>(schema).write(avro.fromConnectData(read.schema(), read.value()), encoder);
            encoder.flush();
            compare("avro bytes of " + parts[0], HexFormat.of().formatHex(bytes.toByteArray()), parts[2]);
            values++;
        }
        System.out.println(schemas + " schemas, " + values + " values, " + differences + " differences");
    }
}
