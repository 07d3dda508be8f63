// SPDX-License-Identifier: Apache-2.0
// Reads pairs of schemas and the answers of compatibility_dump, asks Avro's own library the same, and prints a line
// for each difference and at the end how many were compared.

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

public class Compatibility {
    private static String answer(String readerText, String writerText) {
        Schema reader;
        Schema writer;
        try {
            reader = new Schema.Parser().setValidateDefaults(false).parse(readerText);
            writer = new Schema.Parser().setValidateDefaults(false).parse(writerText);
        } catch (AvroRuntimeException | NumberFormatException e) {
            return "refused";
        }
        StringBuilder text = new StringBuilder(reader.toString());
        try {
            for (SchemaCompatibility.Incompatibility found : SchemaCompatibility
                    .checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()) {
                text.append('\t').append(found.getType()).append(' ').append(found.getLocation()).append(' ')
                        .append(found.getMessage());
            }
        } catch (AvroRuntimeException e) {
            text.append("\tfailed");
        }
        return text.toString();
    }

    public static void main(String[] arguments) throws Exception {
        List<String> pairs = Files.readAllLines(Path.of(arguments[0]));
        List<String> ours = Files.readAllLines(Path.of(arguments[1]));
        int differences = 0;
        int refused = 0;
        int compatible = 0;
        for (int i = 0; i < pairs.size(); i++) {
            String[] pair = pairs.get(i).split("\t");
            String theirs = answer(pair[0], pair[1]);
            String mine = ours.get(i).startsWith("refused\t") ? "refused" : ours.get(i);
            refused += theirs.equals("refused") ? 1 : 0;
            compatible += theirs.equals("refused") || theirs.contains("\t") ? 0 : 1;
            if (!theirs.equals(mine)) {
                differences++;
                if (differences <= 5) {
                    System.out.println("reader " + pair[0] + "\nwriter " + pair[1] + "\n  theirs " + theirs
                            + "\n  ours   " + ours.get(i));
                }
            }
        }
        System.out.println(pairs.size() + " pairs, " + compatible + " compatible, " + refused + " refused, " + differences
                + " differences");
    }
}
