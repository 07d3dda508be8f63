/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

void ms_faults_init(struct ms_faults *faults)
{
    *faults = (struct ms_faults){.cut = MS_CUT_OFF};
    pthread_mutex_init(&faults->lock, NULL);
}

void ms_faults_done(struct ms_faults *faults)
{
    pthread_mutex_destroy(&faults->lock);
}

void ms_faults_set_cut(struct ms_faults *faults, enum ms_cut cut, uint64_t bytes)
{
    pthread_mutex_lock(&faults->lock);
    faults->cut = cut;
    faults->cut_bytes = bytes;
    faults->cut_epoch++;
    pthread_mutex_unlock(&faults->lock);
}

void ms_faults_set_delay(struct ms_faults *faults, int64_t delay_ms)
{
    pthread_mutex_lock(&faults->lock);
    faults->delay_ms = delay_ms;
    pthread_mutex_unlock(&faults->lock);
}

int64_t ms_faults_delay_ms(struct ms_faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    int64_t delay_ms = faults->delay_ms;
    pthread_mutex_unlock(&faults->lock);
    return delay_ms;
}

static size_t allow_each(const struct ms_faults *faults, struct ms_fault_count *count, size_t wanted)
{
    if (count->epoch != faults->cut_epoch)
        *count = (struct ms_fault_count){.epoch = faults->cut_epoch};
    uint64_t left = faults->cut_bytes > count->sent ? faults->cut_bytes - count->sent : 0;
    size_t allowed = wanted < left ? wanted : (size_t)left;
    count->sent += allowed;
    return allowed;
}

static size_t allow_once(struct ms_faults *faults, size_t wanted)
{
    if (wanted <= faults->cut_bytes) {
        faults->cut_bytes -= wanted;
        return wanted;
    }
    faults->cut = MS_CUT_OFF;
    return (size_t)faults->cut_bytes;
}

size_t ms_faults_allow(struct ms_faults *faults, struct ms_fault_count *count, size_t wanted)
{
    pthread_mutex_lock(&faults->lock);
    size_t allowed = faults->cut == MS_CUT_OFF    ? wanted
                     : faults->cut == MS_CUT_EACH ? allow_each(faults, count, wanted)
                                                  : allow_once(faults, wanted);
    pthread_mutex_unlock(&faults->lock);
    return allowed;
}
