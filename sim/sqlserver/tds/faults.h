/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misbehaviour of the wire on command: cut a connection after N bytes, delay replies.
 *
 * One per process. Connections ask before every reply and every send; the control socket sets. All functions
 * may be called from any thread.
 */
#ifndef SIM_SQLSERVER_TDS_FAULTS_H
#define SIM_SQLSERVER_TDS_FAULTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ms_cut {
    MS_CUT_OFF,
    MS_CUT_ONCE, /* all connections count together; the one that sends byte N is cut, and then the fault is
                    spent */
    MS_CUT_EACH, /* every connection is cut after N bytes of its own, counted from the command on */
};

struct ms_faults {
    pthread_mutex_t lock; /* guards what follows */
    enum ms_cut cut;
    uint64_t cut_bytes; /* ONCE: how many are left; EACH: how many every connection has */
    uint64_t cut_epoch; /* a new EACH command begins a new count */
    int64_t delay_ms;
};

/* What a connection remembers of MS_CUT_EACH. */
struct ms_fault_count {
    uint64_t epoch;
    uint64_t sent;
};

void ms_faults_init(struct ms_faults *faults);
void ms_faults_done(struct ms_faults *faults);
void ms_faults_set_cut(struct ms_faults *faults, enum ms_cut cut, uint64_t bytes);
void ms_faults_set_delay(struct ms_faults *faults, int64_t delay_ms);
int64_t ms_faults_delay_ms(struct ms_faults *faults);
/* How many of `wanted` bytes may be sent; fewer means: send these, then cut. */
size_t ms_faults_allow(struct ms_faults *faults, struct ms_fault_count *count, size_t wanted);

#endif
