/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <string.h>

enum sy_failure sy_faults_word(const char *word)
{
    static const char *const words[] = {
        [SY_FAIL_OVERLOADED] = "overload",
        [SY_FAIL_UNAVAILABLE] = "unavailable",
        [SY_FAIL_READ_TIMEOUT] = "read-timeout",
        [SY_FAIL_WRITE_TIMEOUT] = "write-timeout",
        [SY_FAIL_READ_FAILURE] = "read-failure",
        [SY_FAIL_WRITE_FAILURE] = "write-failure",
        [SY_FAIL_RATE_LIMIT] = "rate-limit",
        [SY_FAIL_BOOTSTRAPPING] = "bootstrapping",
        [SY_FAIL_SERVER_ERROR] = "server-error",
        [SY_FAIL_UNPREPARED] = "unprepared",
        [SY_FAIL_IGNORE] = "ignore",
        [SY_FAIL_DROP] = "drop",
        [SY_FAIL_GARBAGE] = "garbage",
    };
    for (size_t i = SY_FAIL_NONE + 1; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0)
            return (enum sy_failure)i;
    }
    return SY_FAIL_NONE;
}

void sy_faults_init(struct sy_faults *faults)
{
    *faults = (struct sy_faults){.cut = SY_CUT_OFF};
    pthread_mutex_init(&faults->lock, NULL);
}

void sy_faults_done(struct sy_faults *faults)
{
    pthread_mutex_destroy(&faults->lock);
}

/* The caller holds `lock`. */
static void note_active(struct sy_faults *faults)
{
    atomic_store(&faults->active, faults->n_rules > 0 || faults->cut != SY_CUT_OFF);
}

bool sy_faults_add(struct sy_faults *faults, const struct sy_fault_rule *rule)
{
    pthread_mutex_lock(&faults->lock);
    bool room = faults->n_rules < SY_FAULT_RULES;
    if (room)
        faults->rules[faults->n_rules++] = *rule;
    note_active(faults);
    pthread_mutex_unlock(&faults->lock);
    return room;
}

void sy_faults_clear(struct sy_faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    faults->n_rules = 0;
    note_active(faults);
    pthread_mutex_unlock(&faults->lock);
}

static bool fits(const struct sy_fault_rule *rule, uint32_t node, const char *text, size_t len)
{
    if (rule->node != SY_FAULT_ALL_NODES && rule->node != node)
        return false;
    return rule->text[0] == '\0' || (len > 0 && memmem(text, len, rule->text, strlen(rule->text)) != NULL);
}

/* The caller holds `lock`. */
static bool strikes(struct sy_faults *faults, size_t i)
{
    struct sy_fault_rule *rule = &faults->rules[i];
    if (++rule->seen % rule->every != 0)
        return false;
    if (rule->left != UINT64_MAX && --rule->left == 0) {
        memmove(rule, rule + 1, (faults->n_rules - i - 1) * sizeof(*rule));
        faults->n_rules--;
        note_active(faults);
    }
    return true;
}

enum sy_failure sy_faults_pick(struct sy_faults *faults, uint32_t node, const char *text, size_t len)
{
    enum sy_failure failure = SY_FAIL_NONE;
    if (!atomic_load_explicit(&faults->active, memory_order_relaxed))
        return failure;
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->n_rules && failure == SY_FAIL_NONE; i++) {
        enum sy_failure candidate = faults->rules[i].failure;
        if (fits(&faults->rules[i], node, text, len) && strikes(faults, i))
            failure = candidate;
    }
    pthread_mutex_unlock(&faults->lock);
    return failure;
}

void sy_faults_set_cut(struct sy_faults *faults, enum sy_cut cut, uint64_t bytes)
{
    pthread_mutex_lock(&faults->lock);
    faults->cut = cut;
    faults->cut_bytes = bytes;
    faults->cut_epoch++;
    note_active(faults);
    pthread_mutex_unlock(&faults->lock);
}

static size_t allow_each(const struct sy_faults *faults, struct sy_cut_count *count, size_t wanted)
{
    if (count->epoch != faults->cut_epoch)
        *count = (struct sy_cut_count){.epoch = faults->cut_epoch};
    uint64_t left = faults->cut_bytes > count->sent ? faults->cut_bytes - count->sent : 0;
    size_t allowed = wanted < left ? wanted : (size_t)left;
    count->sent += allowed;
    return allowed;
}

static size_t allow_once(struct sy_faults *faults, size_t wanted)
{
    if (wanted <= faults->cut_bytes) {
        faults->cut_bytes -= wanted;
        return wanted;
    }
    faults->cut = SY_CUT_OFF;
    note_active(faults);
    return (size_t)faults->cut_bytes;
}

size_t sy_faults_allow(struct sy_faults *faults, struct sy_cut_count *count, size_t wanted)
{
    if (!atomic_load_explicit(&faults->active, memory_order_relaxed))
        return wanted;
    pthread_mutex_lock(&faults->lock);
    size_t allowed = faults->cut == SY_CUT_OFF    ? wanted
                     : faults->cut == SY_CUT_EACH ? allow_each(faults, count, wanted)
                                                  : allow_once(faults, wanted);
    pthread_mutex_unlock(&faults->lock);
    return allowed;
}
