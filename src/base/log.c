/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "sluice/secret.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

_Atomic enum sl_level sl_log_level = SL_LEVEL_INFO;

static enum sl_log_format log_format = SL_LOG_LOGFMT; /* set with the level, before threads start */

static _Thread_local const char *context_connector;
static _Thread_local const char *context_task;

void sl_log_open(enum sl_level level, enum sl_log_format format)
{
    sl_log_level = level;
    log_format = format;
}

void sl_log_context(const char *connector, const char *task)
{
    context_connector = connector;
    context_task = task;
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
            return true;
    }
    return false;
}

static void put_text(struct sl_buf *out, const char *text)
{
    struct sl_buf scratch = {0};

    text = text ? sl_secret_masked(text, &scratch) : "";
    if (log_format == SL_LOG_JSON || needs_quotes(text))
        sl_json_put_text(out, text, strlen(text)); /* JSON's escapes are logfmt's too */
    else
        sl_buf_text(out, text);
    sl_buf_done(&scratch);
}

static void put_name(struct sl_buf *out, const char *name)
{
    if (log_format == SL_LOG_JSON) {
        if (out->len > 1)
            sl_buf_u8(out, ',');
        sl_json_put_text(out, name, strlen(name));
        sl_buf_u8(out, ':');
        return;
    }
    if (out->len)
        sl_buf_u8(out, ' ');
    sl_buf_text(out, name);
    sl_buf_u8(out, '=');
}

static void put_time(struct sl_buf *out)
{
    char text[SL_CLOCK_TEXT];

    sl_clock_text(sl_wall_us() / 1000, text);
    put_name(out, "ts");
    put_text(out, text);
}

static void put_field(struct sl_buf *out, const struct sl_log_field *field)
{
    put_name(out, field->name);
    if (field->kind == 'i')
        sl_buf_format(out, "%lld", (long long)field->i);
    else if (field->kind == 'f' && isfinite(field->d))
        sl_buf_format(out, "%.6g", field->d);
    else if (field->kind == 'f')
        sl_buf_text(out, "null");
    else
        put_text(out, field->text);
}

void sl_log_write(enum sl_level level, const char *sentence, const struct sl_log_field *fields, size_t n)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    struct sl_buf line = {0};
    ssize_t written;

    if (log_format == SL_LOG_JSON)
        sl_buf_u8(&line, '{');
    put_time(&line);
    put_field(&line, &SL_T("level", levels[level]));
    put_field(&line, &SL_T("msg", sentence));
    if (context_connector)
        put_field(&line, &SL_T("connector", context_connector));
    if (context_task)
        put_field(&line, &SL_T("task", context_task));
    for (size_t i = 0; i < n; i++)
        put_field(&line, &fields[i]);
    if (log_format == SL_LOG_JSON)
        sl_buf_u8(&line, '}');
    sl_buf_u8(&line, '\n');
    written = write(STDERR_FILENO, line.data, line.len);
    (void)written; /* nobody to tell */
    sl_buf_done(&line);
}

void sl_log_error(enum sl_level level, const char *sentence, const struct sl_error *err)
{
    const struct sl_log_field fields[] = {
        SL_T("error", err->text),    SL_T("code", sl_rc_name(err->rc)), SL_T("kind", sl_kind_name(err->kind)),
        SL_T("native", err->native), SL_T("where", err->where),
    };
    size_t n = 3;

    if (level > sl_log_level)
        return;
    if (err->native[0])
        n = 4;
    if (sl_log_level >= SL_LEVEL_DEBUG)
        n = 5;
    sl_log_write(level, sentence, fields, n);
}
