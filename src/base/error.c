/* SPDX-License-Identifier: Apache-2.0 */
#include "sluice/error.h"

#include "sluice/secret.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum sl_err_kind kind;
} codes[] = {[SL_OK] = {"OK", SL_KIND_NONE},
#define SL_RC_ROW(code, kind, text) [SL_E_##code] = {#code, SL_KIND_##kind},
             SL_RC_LIST(SL_RC_ROW)
#undef SL_RC_ROW
};

enum sl_err_kind sl_rc_kind(enum sl_rc rc)
{
    return codes[rc].kind;
}

const char *sl_rc_name(enum sl_rc rc)
{
    return codes[rc].name;
}

const char *sl_kind_name(enum sl_err_kind kind)
{
    static const char *const names[] = {"NONE", "TRANSIENT", "DATA", "CONFIG", "FATAL"};

    return names[kind];
}

enum sl_rc sl_error_fill(struct sl_error *err, enum sl_rc rc, const char *where, const char *format, ...)
{
    va_list args;
    int len;

    if (!err)
        return rc;
    err->rc = rc;
    err->kind = codes[rc].kind;
    err->native[0] = '\0';
    err->where = where;
    va_start(args, format);
    len = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    sl_secret_mask(err->text, len >= (int)sizeof(err->text));
    return rc;
}

enum sl_rc sl_error_wrap(struct sl_error *err, const char *format, ...)
{
    char context[200]; /* the cause matters more than the way to it: the context is what gets cut */
    size_t context_len;
    size_t keep;
    va_list args;
    int len;

    if (!err)
        return SL_E_INTERNAL;
    va_start(args, format);
    len = vsnprintf(context, sizeof(context) - 2, format, args);
    va_end(args);
    sl_secret_mask(context, len >= (int)sizeof(context) - 2);
    context_len = strlen(context);
    memcpy(context + context_len, ": ", 2);
    context_len += 2;
    keep = strlen(err->text);
    if (keep > sizeof(err->text) - 1 - context_len)
        keep = sizeof(err->text) - 1 - context_len;
    memmove(err->text + context_len, err->text, keep);
    memcpy(err->text, context, context_len);
    err->text[context_len + keep] = '\0';
    return err->rc;
}

void sl_error_native(struct sl_error *err, const char *native)
{
    if (err)
        (void)snprintf(err->native, sizeof(err->native), "%s", native);
}

void sl_error_clear(struct sl_error *err)
{
    if (err)
        *err = (struct sl_error){0};
}
