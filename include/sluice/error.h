/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error object: a code, and a kind that says what to do next.
 *
 * The caller owns the object and passes it down; the function that meets the failure fills it once, where the
 * facts are, with one lower-case sentence that names the cause and the thing, then "HINT: " and the next
 * step. Callers on the way up may wrap once with what they were doing; nobody logs on the way. The text is
 * logged at the boundary (a task, a command), and the same text stands in the task's status.
 */
#ifndef SLUICE_ERROR_H
#define SLUICE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* What the one who receives the error does. */
enum sl_err_kind {
    SL_KIND_NONE = 0,
    SL_KIND_TRANSIENT, /* try again, with backoff and jitter */
    SL_KIND_DATA,      /* one record is bad: dead letter, go on */
    SL_KIND_CONFIG,    /* refuse: the user has to change something (REST: 4xx) */
    SL_KIND_FATAL,     /* stop the task: going on would lose, double or reorder rows */
};

/* code, kind when nothing else is said, meaning. Codes are stable: they stand in docs and in answers. */
#define SL_RC_LIST(X)                                                                              \
    X(CONFIG, CONFIG, "a setting is missing, wrong or contradicts another")                        \
    X(AUTH, CONFIG, "a server refused the credentials or the rights do not suffice")               \
    X(NOT_FOUND, CONFIG, "a table, topic, file or object that was named does not exist")           \
    X(UNSUPPORTED, CONFIG, "this program does not do what was asked")                              \
    X(DATA, DATA, "a record cannot be converted or applied")                                       \
    X(CONNECT, TRANSIENT, "a server cannot be reached, or the connection was lost")                \
    X(TIMEOUT, TRANSIENT, "something did not happen in time")                                      \
    X(BUSY, TRANSIENT, "another holds what is needed: a lock, a deadlock, a full server")          \
    X(PROTOCOL, TRANSIENT, "a peer sent what its protocol does not allow")                         \
    X(LOG_FULL, TRANSIENT, "the log is at its size limit; it clears when the sinks advance")       \
    X(IO, FATAL, "the operating system refused to read or write")                                  \
    X(LOG_DAMAGED, FATAL, "stored bytes do not match their checksum")                              \
    X(GAP, FATAL, "changes that were not read yet are gone at the source or in the log")           \
    X(FENCED, FATAL, "another writer took over; this one may make nothing durable")                \
    X(FOREIGN_POSITION, FATAL, "a stored position belongs to another log, or lies beyond its end") \
    X(SCHEMA, FATAL, "source, record and target do not fit together")                              \
    X(INTERNAL, FATAL, "an invariant of this program does not hold")                               \
    X(STOPPED, FATAL, "the work was asked to stop")

enum sl_rc {
    SL_OK = 0,
#define SL_RC_ENUM(code, kind, text) SL_E_##code,
    SL_RC_LIST(SL_RC_ENUM)
#undef SL_RC_ENUM
};

#define SL_ERROR_TEXT_SIZE 480
#define SL_CHECKED __attribute__((warn_unused_result))

struct sl_error {
    enum sl_rc rc;
    enum sl_err_kind kind;
    char native[16];               /* SQLSTATE, TDS error number, SQLite code, errno name; "" when none */
    char text[SL_ERROR_TEXT_SIZE]; /* the sentence and the hint; cut, never allocated */
    const char *where;             /* file:line of the origin */
};

#define SL_STRINGIZE_(x) #x
#define SL_STRINGIZE(x) SL_STRINGIZE_(x)
#define SL_HERE __FILE__ ":" SL_STRINGIZE(__LINE__)

/* Fill err (NULL is allowed) with the code's usual kind; returns rc, so that `return sl_error_set(...)` reads
 * well. */
#define sl_error_set(err, rc, ...) sl_error_fill((err), (rc), SL_HERE, __VA_ARGS__)

enum sl_rc sl_error_fill(struct sl_error *err, enum sl_rc rc, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "context: " in front of the text, keeping everything else. Returns err->rc. */
enum sl_rc sl_error_wrap(struct sl_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say the peer's own code beside ours (at most 15 bytes are kept). */
void sl_error_native(struct sl_error *err, const char *native);

void sl_error_clear(struct sl_error *err);

enum sl_err_kind sl_rc_kind(enum sl_rc rc);
const char *sl_rc_name(enum sl_rc rc); /* "CONFIG" */
const char *sl_kind_name(enum sl_err_kind kind);

#endif
