/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compatibility_dump < PAIRS: for each line "reader TAB writer" of Avro schemas one line of answer, separated
 * by tabs: the reader's canonical text, and what is in the way as "KIND location message" (nothing:
 * compatible). "refused" and the reason when a schema is no schema; "failed" when the two cannot be compared.
 */
#include "registry/compatibility.h"

#include <stdio.h>
#include <stdlib.h>

static void answer(const char *reader_text, const char *writer_text, struct sl_buf *out)
{
    struct sl_incompatibilities list = {0};
    struct sl_avro_doc *reader = NULL;
    struct sl_avro_doc *writer = NULL;
    struct sl_error err = {0};

    if (sl_avro_parse(reader_text, strlen(reader_text), &reader, &err) ||
        sl_avro_parse(writer_text, strlen(writer_text), &writer, &err)) {
        sl_buf_format(out, "refused\t%s", err.text);
    } else {
        sl_avro_print(reader->root, out);
        if (sl_compatibility_check(reader->root, writer->root, &list, &err))
            sl_buf_text(out, "\tfailed");
        for (size_t i = 0; i < list.n; i++)
            sl_buf_format(out, "\t%s %s %s", sl_incompatibility_name(list.items[i]->kind),
                          list.items[i]->location, list.items[i]->message);
    }
    sl_incompatibilities_done(&list);
    sl_avro_doc_free(reader);
    sl_avro_doc_free(writer);
}

int main(void)
{
    struct sl_buf out = {0};
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        char *tab = strchr(line, '\t');

        if (!tab)
            return 1;
        line[len - 1] = '\0';
        *tab = '\0';
        sl_buf_reset(&out);
        answer(line, tab + 1, &out);
        (void)puts(sl_buf_cstr(&out));
    }
    free(line);
    sl_buf_done(&out);
    return 0;
}
