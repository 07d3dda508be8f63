/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STOP_EVENT UINT64_MAX

/* An event may be older than the slot's present owner: the generation tells. */
static void deliver(struct ms_watch *watch, uint64_t event)
{
    pthread_mutex_lock(&watch->lock);
    struct ms_watch_slot *slot = &watch->slots[event & 0xFFFFFFFF];
    if (slot->arg != NULL && slot->generation == event >> 32)
        slot->ready(slot->arg);
    pthread_mutex_unlock(&watch->lock);
}

static void *watch_all(void *arg)
{
    struct ms_watch *watch = arg;
    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(watch->epoll, &event, 1, -1);
        if (n < 0 && errno != EINTR)
            return NULL;
        if (n <= 0)
            continue;
        if (event.data.u64 == STOP_EVENT)
            return NULL;
        deliver(watch, event.data.u64);
    }
}

bool ms_watch_start(struct ms_watch *watch)
{
    memset(watch, 0, sizeof(*watch));
    pthread_mutex_init(&watch->lock, NULL);
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch->stop = eventfd(0, EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = STOP_EVENT};
    return watch->epoll >= 0 && watch->stop >= 0 &&
           epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->stop, &event) == 0 &&
           pthread_create(&watch->thread, NULL, watch_all, watch) == 0;
}

void ms_watch_stop(struct ms_watch *watch)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(watch->stop, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    pthread_join(watch->thread, NULL);
    close(watch->epoll);
    close(watch->stop);
    pthread_mutex_destroy(&watch->lock);
}

static void control(struct ms_watch *watch, int slot, int operation, uint32_t events)
{
    struct ms_watch_slot *entry = &watch->slots[slot];
    struct epoll_event event = {.events = events | EPOLLONESHOT,
                                .data.u64 = (uint64_t)entry->generation << 32 | (uint32_t)slot};
    (void)epoll_ctl(watch->epoll, operation, entry->fd, &event);
}

int ms_watch_add(struct ms_watch *watch, int fd, void (*ready)(void *arg), void *arg)
{
    int found = -1;
    pthread_mutex_lock(&watch->lock);
    for (int i = 0; i < MS_WATCH_SLOTS && found < 0; i++) {
        if (watch->slots[i].arg == NULL)
            found = i;
    }
    if (found >= 0) {
        struct ms_watch_slot *slot = &watch->slots[found];
        *slot =
            (struct ms_watch_slot){.ready = ready, .arg = arg, .fd = fd, .generation = slot->generation + 1};
        control(watch, found, EPOLL_CTL_ADD, 0);
    }
    pthread_mutex_unlock(&watch->lock);
    return found;
}

void ms_watch_remove(struct ms_watch *watch, int slot)
{
    pthread_mutex_lock(&watch->lock);
    control(watch, slot, EPOLL_CTL_DEL, 0);
    watch->slots[slot].arg = NULL;
    pthread_mutex_unlock(&watch->lock);
}

void ms_watch_arm(struct ms_watch *watch, int slot)
{
    control(watch, slot, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP);
}

void ms_watch_disarm(struct ms_watch *watch, int slot)
{
    control(watch, slot, EPOLL_CTL_MOD, 0);
}
