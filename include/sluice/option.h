/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options are declared once, in a table beside the code that reads them. From the table come the checks at
 * start, the per-key messages, the "unknown option" warnings, Connect's validate answer and the reference
 * manual.
 */
#ifndef SLUICE_OPTION_H
#define SLUICE_OPTION_H

#include "error.h"
#include <stdint.h>

struct sl_props; /* base/props.h: an ordered map of text to text, as read from JSON or a properties file */

enum sl_option_type { /* Kafka's ConfigDef types */
                      SL_OPT_STRING,
                      SL_OPT_PASSWORD, /* never printed: sluice/secret.h */
                      SL_OPT_BOOLEAN,
                      SL_OPT_INT,
                      SL_OPT_LONG,
                      SL_OPT_DOUBLE,
                      SL_OPT_LIST, /* comma-separated */
                      SL_OPT_CLASS,
};

enum sl_importance { SL_IMPORTANCE_HIGH, SL_IMPORTANCE_MEDIUM, SL_IMPORTANCE_LOW };

struct sl_option {
    const char *name; /* a trailing ".*" takes a whole family, e.g. "driver.*" */
    enum sl_option_type type;
    const char *default_text; /* NULL: no default */
    bool required;            /* must be given and not empty */
    enum sl_importance importance;
    const char *doc;           /* one sentence, unit included */
    const char *const *values; /* NULL, or the allowed words (compared without case), NULL-ended */
    const char *alias; /* an older name that is still taken, or NULL; several are separated by commas */
    /* NULL, or: returns NULL when the text is fine, else what is wrong with it (static text). */
    const char *(*validate)(const char *text);
    int64_t min, max; /* for INT and LONG when max > min */
};

/* A message about one key; what REST answers per key and the command line prints one a line. */
struct sl_complaint {
    char key[128];
    char text[SL_ERROR_TEXT_SIZE];
};

struct sl_complaints {
    struct sl_complaint *items;
    size_t n, capacity;
    bool passing; /* what is complained of may pass by itself (a server that is away): worth another try */
};

/*
 * Check the keys that a table (ended by a NULL name) knows: required ones present, types, words, ranges,
 * validators. Complaints are added; nothing is logged. Keys are looked up as prefix + name.
 */
void sl_options_check(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                      struct sl_complaints *complaints);
/* Make secrets (sluice/secret.h) of the values that stand in options of type PASSWORD. */
void sl_options_hide(const struct sl_option *table, struct sl_props *props, const char *prefix);

void sl_complaints_done(struct sl_complaints *complaints);

/* Add a complaint about a key that the table cannot see (key "": about the whole). */
void sl_complain(struct sl_complaints *complaints, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True when the table (or one of its families) knows the key (without prefix). */
bool sl_options_know(const struct sl_option *table, const char *key);

/* Read a key that was checked before: the given text or the default. NULL when neither exists. */
const char *sl_option_text(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                           const char *name);
int64_t sl_option_int(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                      const char *name);
double sl_option_double(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                        const char *name);
bool sl_option_bool(const struct sl_option *table, const struct sl_props *props, const char *prefix,
                    const char *name);

#endif
