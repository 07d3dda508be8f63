// SPDX-License-Identifier: Apache-2.0
// Reads the lines of converter_dump and does the same with Kafka's JsonConverter, AvroData and Avro's own writer.
// Prints a line for each difference, and at the end how many were compared.

import io.apicurio.registry.utils.converter.avro.AvroData;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
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

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", "true", "converter.type", "value"), false);
        int schemas = 0;
        int values = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", -1);
            SchemaAndValue read = json.toConnectData("t", parts[0].getBytes(StandardCharsets.UTF_8));
            AvroData avro = new AvroData(10);
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
