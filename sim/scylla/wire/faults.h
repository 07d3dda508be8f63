/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misbehaviour of the wire on command: requests that fail, connections that are cut.
 *
 * One per service. Connections ask before every request and every send; the control socket sets. All
 * functions may be called from any thread. What concerns a node as a whole (down, paused, slow) is in node.h.
 */
#ifndef SIM_SCYLLA_WIRE_FAULTS_H
#define SIM_SCYLLA_WIRE_FAULTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sy_failure {
    SY_FAIL_NONE,
    SY_FAIL_OVERLOADED,
    SY_FAIL_UNAVAILABLE,
    SY_FAIL_READ_TIMEOUT,
    SY_FAIL_WRITE_TIMEOUT, /* the write is done, and the client is told that nobody knows */
    SY_FAIL_READ_FAILURE,
    SY_FAIL_WRITE_FAILURE,
    SY_FAIL_RATE_LIMIT,
    SY_FAIL_BOOTSTRAPPING,
    SY_FAIL_SERVER_ERROR,
    SY_FAIL_UNPREPARED,
    SY_FAIL_IGNORE,  /* no answer ever */
    SY_FAIL_DROP,    /* the connection is closed instead of an answer */
    SY_FAIL_GARBAGE, /* an answer that is no frame */
};
/* SY_FAIL_NONE for a word that is none. */
enum sy_failure sy_faults_word(const char *word);

#define SY_FAULT_TEXT 128
#define SY_FAULT_ALL_NODES UINT32_MAX

/* Requests (QUERY, EXECUTE, BATCH; of any node or one; whose statement contains a text) that fail. */
struct sy_fault_rule {
    enum sy_failure failure;
    uint64_t left;  /* how many; UINT64_MAX: without end */
    uint64_t every; /* each n-th that fits; 1: each */
    uint64_t seen;
    uint32_t node;
    char text[SY_FAULT_TEXT]; /* "": any statement */
};

#define SY_FAULT_RULES 16

enum sy_cut {
    SY_CUT_OFF,
    SY_CUT_ONCE, /* all connections count together; the one that sends byte N is cut: the fault is spent */
    SY_CUT_EACH, /* every connection is cut after N bytes of its own, counted from the command on */
};

struct sy_faults {
    atomic_bool active; /* false: nothing below is set, do not look */
    pthread_mutex_t lock;
    struct sy_fault_rule rules[SY_FAULT_RULES];
    size_t n_rules;
    enum sy_cut cut;
    uint64_t cut_bytes; /* ONCE: how many are left; EACH: how many every connection has */
    uint64_t cut_epoch; /* a new EACH command begins a new count */
};

/* What a connection remembers of SY_CUT_EACH. */
struct sy_cut_count {
    uint64_t epoch;
    uint64_t sent;
};

void sy_faults_init(struct sy_faults *faults);
void sy_faults_done(struct sy_faults *faults);
/* False when there are too many rules already. */
bool sy_faults_add(struct sy_faults *faults, const struct sy_fault_rule *rule);
void sy_faults_clear(struct sy_faults *faults);
/* Must this request fail? text: its statement, any bytes. */
enum sy_failure sy_faults_pick(struct sy_faults *faults, uint32_t node, const char *text, size_t len);
void sy_faults_set_cut(struct sy_faults *faults, enum sy_cut cut, uint64_t bytes);
/* How many of `wanted` bytes may be sent; fewer means: send these, then cut. */
size_t sy_faults_allow(struct sy_faults *faults, struct sy_cut_count *count, size_t wanted);

#endif
