/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines: a constant sentence and named fields; one line, logfmt on a terminal, JSON in service. Levels:
 * error = someone must act; warn = continued anyway, and says so; info = state changed; debug = by component.
 *
 *     sl_info("snapshot finished", SL_T("table", name), SL_I("rows", n));
 *
 * The level is tested before the fields are evaluated. Context (connector, task) is set once per thread and
 * appears on every line of that thread. Threads: any; a line is one write(2) to stderr.
 */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include "sluice/error.h"

#include <stdint.h>

enum sl_level { SL_LEVEL_ERROR, SL_LEVEL_WARN, SL_LEVEL_INFO, SL_LEVEL_DEBUG };
enum sl_log_format { SL_LOG_LOGFMT, SL_LOG_JSON };

struct sl_log_field {
    const char *name;
    char kind; /* 't' text, 'i' integer, 'f' double */
    union {
        const char *text;
        int64_t i;
        double d;
    };
};

#define SL_T(name_, text_) ((struct sl_log_field){.name = (name_), .kind = 't', .text = (text_)})
#define SL_I(name_, i_) ((struct sl_log_field){.name = (name_), .kind = 'i', .i = (int64_t)(i_)})
#define SL_F(name_, d_) ((struct sl_log_field){.name = (name_), .kind = 'f', .d = (d_)})

extern _Atomic enum sl_level sl_log_level; /* the one mutable global: set at the start, or by the operator */

void sl_log_open(enum sl_level level, enum sl_log_format format);

/* This thread's context; texts must live until it is changed. NULL: none. */
void sl_log_context(const char *connector, const char *task);

void sl_log_write(enum sl_level level, const char *sentence, const struct sl_log_field *fields, size_t n);

#define SL_LOG_(level_, sentence_, ...)                                               \
    do {                                                                              \
        if ((level_) <= sl_log_level) {                                               \
            const struct sl_log_field sl_fields_[] = {{.name = NULL}, ##__VA_ARGS__}; \
            sl_log_write((level_), (sentence_), sl_fields_ + 1,                       \
                         sizeof(sl_fields_) / sizeof(*sl_fields_) - 1);               \
        }                                                                             \
    } while (0)

#define sl_fail(sentence, ...) SL_LOG_(SL_LEVEL_ERROR, sentence, ##__VA_ARGS__)
#define sl_warn(sentence, ...) SL_LOG_(SL_LEVEL_WARN, sentence, ##__VA_ARGS__)
#define sl_info(sentence, ...) SL_LOG_(SL_LEVEL_INFO, sentence, ##__VA_ARGS__)
#define sl_debug(sentence, ...) SL_LOG_(SL_LEVEL_DEBUG, sentence, ##__VA_ARGS__)

/* An error object as a line: its text, code, kind, native code. */
void sl_log_error(enum sl_level level, const char *sentence, const struct sl_error *err);

#endif
