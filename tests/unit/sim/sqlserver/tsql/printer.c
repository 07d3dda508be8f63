/* SPDX-License-Identifier: Apache-2.0 */
#include "printer.h"

#include <stdlib.h>
#include <string.h>

#include "../../../../../sim/sqlserver/tsql/convert.h"

static bool on_columns(void *ctx, const struct ms_column *columns, size_t n)
{
    struct printer *p = ctx;
    char type[64];
    free(p->types);
    p->types = ms_heap_alloc((n + 1) * sizeof *p->types);
    p->n_types = n;
    ms_buffer_text(&p->text, "#");
    for (size_t i = 0; i < n; i++) {
        p->types[i] = columns[i].type;
        ms_buffer_format(&p->text, "%s %s%s%s%s", i ? "," : "", columns[i].name,
                         columns[i].name[0] ? " " : "", ms_type_text(&columns[i].type, type, sizeof type),
                         columns[i].nullable ? " null" : "");
    }
    ms_buffer_byte(&p->text, '\n');
    return true;
}

static void print_value(struct printer *p, const struct ms_type *type, const struct ms_value *value)
{
    struct ms_arena arena = {0};
    struct ms_error err;
    struct ms_value text;
    bool binary = ms_type_class(type->id) == MS_CLASS_BINARY,
         quoted = ms_type_class(type->id) == MS_CLASS_TEXT;
    struct ms_conversion how = {
        .from = *type, .to = ms_type_string(true, MS_MAX), .style = binary ? 1 : MS_STYLE_NONE};
    if (type->id == MS_DATETIME || type->id == MS_SMALLDATETIME)
        how.style = 121;
    if (value->is_null)
        ms_buffer_text(&p->text, "NULL");
    else if (ms_convert(&arena, &how, value, &text, &err))
        ms_buffer_format(&p->text, quoted ? "'%.*s'" : "%.*s", (int)text.len, (const char *)text.bytes);
    ms_arena_free(&arena);
}

static bool on_row(void *ctx, const struct ms_value *values)
{
    struct printer *p = ctx;
    for (size_t i = 0; i < p->n_types; i++) {
        if (i)
            ms_buffer_byte(&p->text, '|');
        print_value(p, &p->types[i], &values[i]);
    }
    ms_buffer_byte(&p->text, '\n');
    return true;
}

static bool on_done(void *ctx, enum ms_command command, int64_t rows, bool failed)
{
    struct printer *p = ctx;
    (void)command;
    if (rows >= 0)
        ms_buffer_format(&p->text, "(%lld)%s\n", (long long)rows, failed ? "!" : "");
    return true;
}

static bool on_message(void *ctx, const struct ms_message *m)
{
    struct printer *p = ctx;
    if (m->severity > 10)
        ms_buffer_format(&p->text, "! %d %d line %d: %s\n", m->number, m->severity, m->line, m->text);
    else if (m->number != 5701)
        ms_buffer_format(&p->text, "i %d: %s\n", m->number, m->text);
    return true;
}

static bool on_env(void *ctx, enum ms_env what, const char *new_text, const char *old_text,
                   uint64_t descriptor)
{
    struct printer *p = ctx;
    (void)old_text;
    (void)descriptor;
    if (!p->quiet_env)
        ms_buffer_format(&p->text, "env %d %s\n", (int)what, new_text);
    return true;
}

static bool on_return_value(void *ctx, const struct ms_column *column, const struct ms_value *value)
{
    struct printer *p = ctx;
    ms_buffer_format(&p->text, "out %s = ", column->name);
    print_value(p, &column->type, value);
    ms_buffer_byte(&p->text, '\n');
    return true;
}

static bool on_return_status(void *ctx, int32_t status)
{
    struct printer *p = ctx;
    ms_buffer_format(&p->text, "status %d\n", status);
    return true;
}

void printer_init(struct printer *p)
{
    *p = (struct printer){.quiet_env = true};
    p->sink = (struct ms_sink){p,          on_columns, on_row,          on_done,
                               on_message, on_env,     on_return_value, on_return_status};
    ms_buffer_text(&p->text, "");
}

void printer_clear(struct printer *p)
{
    p->text.len = 0;
    p->text.data[0] = 0;
}

void printer_done(struct printer *p)
{
    ms_buffer_free(&p->text);
    free(p->types);
}
