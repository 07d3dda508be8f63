/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/breaker.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define BASE_US INT64_C(100000)
#define LONGEST_US INT64_C(30000000)
#define LOOK_US INT64_C(200000)  /* how often others look while one tries */
#define TRY_US INT64_C(60000000) /* a try that has not ended by then is somebody else's turn */

enum state {
    CLOSED,
    OPEN,
    HALF_OPEN,
};

struct sl_breaker {
    struct sl_breaker *next;
    char *system;
    char *address;
    bool busy_too;
    unsigned seats;
    unsigned failing; /* seats that have failed since they got through last */
    enum state state;
    struct sl_backoff backoff; /* attempt: failures in a row */
    int64_t since_ms;          /* the first of them */
    int64_t next_us;           /* open: when it is tried again; half open: when the try is given up */
    int64_t next_ms;
    const struct sl_seat *trying; /* half open: who */
    char last[200];
};

static struct {
    pthread_mutex_t lock; /* of all of them: they are few, and are looked at when something is wrong */
    struct sl_breaker *first;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lock(void)
{
    (void)pthread_mutex_lock(&all.lock);
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&all.lock);
}

/* ---- seats ---- */

static struct sl_breaker *find(const char *system, const char *address)
{
    for (struct sl_breaker *breaker = all.first; breaker; breaker = breaker->next) {
        if (strcmp(breaker->system, system) == 0 && strcmp(breaker->address, address) == 0)
            return breaker;
    }
    return NULL;
}

void sl_seat_take(struct sl_seat *seat, const char *system, const char *address, bool busy_too)
{
    struct sl_breaker *breaker;

    lock();
    breaker = find(system, address);
    if (!breaker) {
        breaker = sl_zalloc(1, sizeof(*breaker));
        *breaker = (struct sl_breaker){.next = all.first,
                                       .system = sl_strdup(system),
                                       .address = sl_strdup(address),
                                       .busy_too = busy_too,
                                       .backoff = {.base_us = BASE_US, .max_us = LONGEST_US}};
        all.first = breaker;
    }
    breaker->seats++;
    *seat = (struct sl_seat){.breaker = breaker, .is = SL_SEAT_NEW};
    unlock();
}

static void close_circuit(struct sl_breaker *breaker)
{
    breaker->state = CLOSED;
    breaker->trying = NULL;
    breaker->last[0] = '\0';
    sl_backoff_reset(&breaker->backoff);
}

/* Under the lock. What the seat was about to try is open to the others. */
static void rest(struct sl_seat *seat)
{
    struct sl_breaker *breaker = seat->breaker;

    if (breaker->trying == seat) {
        breaker->trying = NULL;
        breaker->state = OPEN;
        breaker->next_us = sl_now_us();
    }
    if (seat->is == SL_SEAT_FAILING && --breaker->failing == 0)
        close_circuit(breaker);
    seat->is = SL_SEAT_NEW;
}

void sl_seat_rest(struct sl_seat *seat)
{
    if (!seat->breaker)
        return;
    lock();
    rest(seat);
    unlock();
}

static void remove_breaker(struct sl_breaker *breaker)
{
    struct sl_breaker **at = &all.first;

    while (*at != breaker)
        at = &(*at)->next;
    *at = breaker->next;
    sl_free(breaker->system);
    sl_free(breaker->address);
    sl_free(breaker);
}

void sl_seat_leave(struct sl_seat *seat)
{
    if (!seat->breaker)
        return;
    lock();
    rest(seat);
    if (--seat->breaker->seats == 0)
        remove_breaker(seat->breaker);
    seat->breaker = NULL;
    unlock();
}

/* ---- asking ---- */

static bool may_ask(struct sl_seat *seat, int64_t *ret_wait_us)
{
    struct sl_breaker *breaker = seat->breaker;
    int64_t now_us = sl_now_us();

    if (breaker->state == CLOSED || breaker->trying == seat)
        return true;
    if (now_us < breaker->next_us) {
        *ret_wait_us = breaker->next_us - now_us;
        if (breaker->state == HALF_OPEN && *ret_wait_us > LOOK_US)
            *ret_wait_us = LOOK_US;
        return false;
    }
    breaker->state = HALF_OPEN;
    breaker->trying = seat;
    breaker->next_us = now_us + TRY_US;
    return true;
}

bool sl_seat_may_ask(struct sl_seat *seat, int64_t *ret_wait_us)
{
    bool allowed;

    if (!seat->breaker || seat->is == SL_SEAT_FINE)
        return true;
    lock();
    allowed = may_ask(seat, ret_wait_us);
    unlock();
    return allowed;
}

void sl_seat_succeeded(struct sl_seat *seat)
{
    struct sl_breaker *breaker = seat->breaker;

    if (!breaker || seat->is == SL_SEAT_FINE)
        return;
    lock();
    if (breaker->state != CLOSED)
        sl_info("a system answers again", SL_T("system", breaker->system), SL_T("address", breaker->address),
                SL_I("failures", breaker->backoff.attempt));
    if (seat->is == SL_SEAT_FAILING)
        breaker->failing--;
    seat->is = SL_SEAT_FINE;
    close_circuit(breaker);
    unlock();
}

static bool is_the_systems(const struct sl_breaker *breaker, enum sl_rc rc)
{
    return rc == SL_E_CONNECT || rc == SL_E_TIMEOUT || rc == SL_E_PROTOCOL ||
           (rc == SL_E_BUSY && breaker->busy_too);
}

static void open_circuit(struct sl_breaker *breaker, const struct sl_error *err)
{
    int64_t now_ms = sl_wall_us() / 1000;
    int64_t wait_us;

    if (breaker->state == CLOSED)
        breaker->since_ms = now_ms;
    wait_us = sl_backoff_next_us(&breaker->backoff);
    breaker->state = OPEN;
    breaker->trying = NULL;
    breaker->next_us = sl_now_us() + wait_us;
    breaker->next_ms = now_ms + wait_us / 1000;
    (void)snprintf(breaker->last, sizeof(breaker->last), "%.190s", err->text);
}

int64_t sl_seat_failed(struct sl_seat *seat, const struct sl_error *err)
{
    struct sl_breaker *breaker = seat->breaker;
    int64_t wait_us;

    if (!breaker)
        return 0;
    lock();
    if (!is_the_systems(breaker, err->rc)) {
        if (breaker->trying == seat) /* it answered, whatever it said */
            close_circuit(breaker);
        unlock();
        return 0;
    }
    if (seat->is != SL_SEAT_FAILING)
        breaker->failing++;
    seat->is = SL_SEAT_FAILING;
    /* Those who lost their connections to one outage are one failure. */
    if (breaker->state == CLOSED || breaker->trying == seat)
        open_circuit(breaker, err);
    wait_us = breaker->state == OPEN ? breaker->next_us - sl_now_us() : LOOK_US;
    unlock();
    return wait_us > 0 ? wait_us : 1;
}

/* ---- to show ---- */

bool sl_seat_waits(const struct sl_seat *seat)
{
    bool waits;

    lock();
    waits = seat->breaker && seat->breaker->state != CLOSED && seat->is != SL_SEAT_FINE;
    unlock();
    return waits;
}

void sl_seat_explain(const struct sl_seat *seat, char *out, size_t size)
{
    out[0] = '\0';
    if (!seat->breaker)
        return;
    lock();
    (void)snprintf(out, size, "%s", seat->breaker->last);
    unlock();
}

static void put_one(const struct sl_breaker *breaker, struct sl_buf *out)
{
    static const char *const names[] = {"closed", "open", "half-open"};

    sl_buf_text(out, "{\"system\":");
    sl_json_put_text(out, breaker->system, strlen(breaker->system));
    sl_buf_text(out, ",\"address\":");
    sl_json_put_text(out, breaker->address, strlen(breaker->address));
    sl_buf_format(out, ",\"state\":\"%s\",\"askers\":%u", names[breaker->state], breaker->seats);
    if (breaker->state != CLOSED) {
        sl_buf_format(out,
                      ",\"waiting\":%u,\"attempts\":%u,\"since_ms\":%lld,\"next_try_ms\":%lld,\"error\":",
                      breaker->failing, breaker->backoff.attempt, (long long)breaker->since_ms,
                      (long long)breaker->next_ms);
        sl_json_put_text(out, breaker->last, strlen(breaker->last));
    }
    sl_buf_u8(out, '}');
}

void sl_seat_json(const struct sl_seat *seat, struct sl_buf *out)
{
    lock();
    put_one(seat->breaker, out);
    unlock();
}

void sl_breakers_json(bool closed_too, struct sl_buf *out)
{
    bool any = false;

    sl_buf_u8(out, '[');
    lock();
    for (const struct sl_breaker *breaker = all.first; breaker; breaker = breaker->next) {
        if (breaker->state == CLOSED && !closed_too)
            continue;
        if (any)
            sl_buf_u8(out, ',');
        put_one(breaker, out);
        any = true;
    }
    unlock();
    sl_buf_u8(out, ']');
}
