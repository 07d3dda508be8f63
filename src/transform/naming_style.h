/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How Debezium's two transforms for names write one: in a style, with something before and behind it. Letters
 * are those of ASCII; all others stay as they are.
 */
#ifndef SLUICE_TRANSFORM_NAMING_STYLE_H
#define SLUICE_TRANSFORM_NAMING_STYLE_H

#include "base/buf.h"
#include "sluice/option.h"

enum sl_naming_style {
    SL_NAMES_AS_THEY_ARE,
    SL_NAMES_SNAKE, /* orderLine.id2 -> order_line_id_2 */
    SL_NAMES_CAMEL, /* order_line.id -> orderLineId; what has no dot or underscore is in lower case */
    SL_NAMES_UPPER,
    SL_NAMES_LOWER,
};

struct sl_naming {
    char *prefix, *suffix;
    enum sl_naming_style style;
};

extern const char *const sl_naming_styles[]; /* for option tables; NULL-ended */

/* The three options are family + "prefix", "suffix" and "style" ("column.naming."). Errors: CONFIG. */
enum sl_rc sl_naming_open(struct sl_naming *naming, const struct sl_option *options,
                          const struct sl_props *props, const char *prefix, const char *family,
                          struct sl_error *err);
void sl_naming_done(struct sl_naming *naming); /* a zeroed one is fine */

/* Append the name as it is to be. */
void sl_naming_put(const struct sl_naming *naming, const char *name, size_t len, struct sl_buf *out);

/* The three lines of an option table; a family is written as a text literal. */
#define SL_NAMING_OPTIONS(family_, things_)                                                                  \
    {.name = family_ "prefix",                                                                               \
     .type = SL_OPT_STRING,                                                                                  \
     .default_text = "",                                                                                     \
     .importance = SL_IMPORTANCE_LOW,                                                                        \
     .doc = "What stands before the names of " things_ "."},                                                 \
        {.name = family_ "suffix",                                                                           \
         .type = SL_OPT_STRING,                                                                              \
         .default_text = "",                                                                                 \
         .importance = SL_IMPORTANCE_LOW,                                                                    \
         .doc = "What stands behind the names of " things_ "."},                                             \
    {                                                                                                        \
        .name = family_ "style", .type = SL_OPT_STRING, .default_text = "default",                           \
        .importance = SL_IMPORTANCE_LOW,                                                                     \
        .doc = "How the names of " things_ " are written; default: as they are.", .values = sl_naming_styles \
    }

#endif
