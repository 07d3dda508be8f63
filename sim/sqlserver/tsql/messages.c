/* SPDX-License-Identifier: Apache-2.0 */
/* RAISERROR and THROW. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute.h"

/* One conversion of RAISERROR's printf-like text: %s %d %i %u %x %o with flags and width, %% . */
static bool format_one(struct ms_run *run, const char **at, struct ms_statement *st, size_t *next,
                       struct ms_buffer *out)
{
    char spec[24] = "%";
    size_t n = 1;
    const char *p = *at + 1;
    const char *text;
    while (*p && strchr("-+ 0#123456789.lhI", *p) && n < 12) {
        if (!strchr("lhI", *p))
            spec[n++] = *p;
        p++;
    }
    if (*p == '%') {
        ms_buffer_byte(out, '%');
        *at = p + 1;
        return true;
    }
    if (!*p || !strchr("sdiuxXo", *p))
        return ms_error_set(run->err, 2787, 16, 1, "Invalid format specification: '%.20s'.", *at);
    if (*next >= st->n_args) {
        ms_buffer_text(out, "(null)");
    } else {
        char shown[2100];
        if (!ms_run_text(run, st->args[(*next)++], &text))
            return false;
        spec[n++] = *p == 's' ? 's' : 'l';
        if (*p != 's') {
            spec[n++] = 'l';
            spec[n++] = *p;
        }
        spec[n] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        if (*p == 's')
            (void)snprintf(shown, sizeof shown, spec, text);
        else
            (void)snprintf(shown, sizeof shown, spec, strtoll(text, NULL, 10));
#pragma GCC diagnostic pop
        ms_buffer_text(out, shown);
    }
    *at = p + 1;
    return true;
}

static bool format_message(struct ms_run *run, const char *format, struct ms_statement *st,
                           const char **ret_text)
{
    struct ms_buffer out = {0};
    size_t next = 3;
    bool ok = true;
    for (const char *at = format; ok && *at;) {
        if (*at == '%')
            ok = format_one(run, &at, st, &next, &out);
        else
            ms_buffer_byte(&out, *at++);
    }
    *ret_text = ms_arena_dup(&run->arena, out.data ? out.data : "", out.len);
    ms_buffer_free(&out);
    return ok;
}

static bool integer_of(struct ms_run *run, const struct ms_expr *e, int64_t *ret)
{
    struct ms_type type = {.id = MS_BIGINT};
    struct ms_value value;
    if (!ms_run_evaluate(run, e, &type, &value, NULL))
        return false;
    *ret = value.is_null ? 0 : value.i;
    return true;
}

bool ms_run_raiserror(struct ms_run *run, struct ms_statement *st)
{
    int64_t severity, state, number = 50000;
    struct ms_type type;
    struct ms_value first;
    const char *text;
    if (!ms_run_evaluate(run, st->args[0], NULL, &first, &type) || !integer_of(run, st->args[1], &severity) ||
        !integer_of(run, st->args[2], &state))
        return false;
    if (ms_type_class(type.id) == MS_CLASS_INTEGER) {
        number = first.i;
        text = ms_arena_format(&run->arena,
                               "Error %lld, severity %lld, state %lld was raised, but no message with that "
                               "error number was found in sys.messages.",
                               (long long)number, (long long)severity, (long long)state);
    } else if (!ms_run_text(run, st->args[0], &text) || !format_message(run, text, st, &text)) {
        return false;
    }
    severity = severity < 0 ? 0 : severity > 25 ? 25 : severity;
    if (severity > 18 && !st->flag)
        return ms_error_set(run->err, 2754, 16, 1,
                            "Error severity levels greater than 18 can only be specified by members of the "
                            "sysadmin role, using the WITH LOG option.");
    if (severity <= 10) {
        ms_tell_info(run->l, severity == 0 && number == 50000 ? 50000 : (int32_t)number, (uint8_t)state,
                     (uint8_t)severity, text);
        run->l->last_error = st->flag2 ? (int32_t)number : 0; /* WITH SETERROR */
        return true;
    }
    return ms_error_set(run->err, (int32_t)number, (uint8_t)severity, (uint8_t)(state < 0 ? 1 : state), "%s",
                        text);
}

bool ms_run_throw(struct ms_run *run, struct ms_statement *st)
{
    int64_t number, state;
    const char *text;
    if (st->n_args == 0) {
        if (!run->l->caught)
            return ms_error_set(
                run->err, 10704, 15, 1,
                "To rethrow an error, a THROW statement must be used inside a CATCH "
                "block. Insert the THROW statement inside a CATCH block, or add error parameters to the "
                "THROW statement.");
        *run->err = run->l->caught->error;
        st->line = run->l->caught->line;
        return false;
    }
    if (!integer_of(run, st->args[0], &number) || !ms_run_text(run, st->args[1], &text) ||
        !integer_of(run, st->args[2], &state))
        return false;
    if (number < 50000 || number > INT32_MAX)
        return ms_error_set(run->err, 35100, 16, 10,
                            "Error number %lld in the THROW statement is outside the valid range. "
                            "Specify an error number in the valid range of 50000 to 2147483647.",
                            (long long)number);
    return ms_error_set(run->err, (int32_t)number, 16, (uint8_t)state, "%s", text);
}
