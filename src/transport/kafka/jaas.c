/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/kafka/jaas.h"

#include "base/buf.h"
#include "base/props.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* A bare word up to a blank, '=' or ';'. */
static const char *take_word(const char *at, struct sl_buf *word)
{
    sl_buf_reset(word);
    for (at = skip_blanks(at); *at && !isspace((unsigned char)*at) && *at != '=' && *at != ';'; at++)
        sl_buf_u8(word, (uint8_t)*at);
    return at;
}

/* A quoted text or a bare word; NULL when a quote is not closed. */
static const char *take_value(const char *at, struct sl_buf *value)
{
    char quote;

    at = skip_blanks(at);
    quote = *at;
    if (quote != '"' && quote != '\'')
        return take_word(at, value);
    sl_buf_reset(value);
    for (at++; *at && *at != quote; at++) {
        if (*at == '\\' && at[1])
            at++;
        sl_buf_u8(value, (uint8_t)*at);
    }
    return *at ? at + 1 : NULL;
}

static enum sl_rc refuse(const char *what, struct sl_error *err)
{
    return sl_error_set(err, SL_E_CONFIG,
                        "sasl.jaas.config: %s. HINT: <login module class> required name=\"value\" ...;",
                        what);
}

static enum sl_rc take_options(const char *at, struct sl_props *options, struct sl_error *err)
{
    struct sl_buf name = {0};
    struct sl_buf value = {0};
    enum sl_rc rc = SL_OK;

    for (at = skip_blanks(at); rc == SL_OK && *at && *at != ';'; at = at ? skip_blanks(at) : at) {
        at = skip_blanks(take_word(at, &name));
        if (*at != '=' || !name.len) {
            rc = refuse("an option without '='", err);
            break;
        }
        at = take_value(at + 1, &value);
        if (!at) {
            rc = refuse("a quoted value does not end", err);
            break;
        }
        sl_props_set(options, sl_buf_cstr(&name), sl_buf_cstr(&value));
    }
    if (rc == SL_OK && *skip_blanks(at) != ';')
        rc = refuse("it does not end with ';'", err);
    sl_buf_done(&name);
    sl_buf_done(&value);
    return rc;
}

enum sl_rc sl_jaas_parse(const char *text, struct sl_jaas *ret, struct sl_error *err)
{
    struct sl_jaas jaas = {.options = sl_props_new()};
    struct sl_buf word = {0};
    const char *at = take_word(text, &word);
    const char *module = sl_buf_cstr(&word);
    const char *dot = strrchr(module, '.');
    enum sl_rc rc = SL_OK;

    (void)snprintf(jaas.module, sizeof(jaas.module), "%s", dot ? dot + 1 : module);
    at = take_word(at, &word); /* the control flag: there is one module, so that all of them mean the same */
    if (!jaas.module[0] || !word.len)
        rc = refuse("a login module and 'required' are missing", err);
    if (rc == SL_OK)
        rc = take_options(at, jaas.options, err);
    sl_buf_done(&word);
    if (rc) {
        sl_props_free(jaas.options);
        return rc;
    }
    *ret = jaas;
    return SL_OK;
}
