/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to write to a registry that workers share. Everybody reads the same log of requests and
 * writes and keeps such a record of it, by his own clock: the first request after the end of a turn begins
 * the next.
 */
#ifndef SLUICE_REGISTRY_TURN_H
#define SLUICE_REGISTRY_TURN_H

#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    SL_TURN_QUIET_US = 800 * 1000,        /* without a write: the turn is over */
    SL_TURN_CLAIM_US = 10 * 1000 * 1000,  /* from the beginning of a turn to its first write */
    SL_TURN_LONGEST_US = 5 * 1000 * 1000, /* from there on, when others wait */
};

struct sl_turn {
    char owner[SL_UUID_TEXT_SIZE]; /* "": nobody yet */
    int64_t began_us;
    int64_t first_us; /* of its writes; 0: none yet */
    int64_t last_us;
};

enum sl_turn_whose { SL_TURN_NOBODYS, SL_TURN_OURS, SL_TURN_ANOTHERS };

static inline bool sl_turn_lasts(const struct sl_turn *turn, int64_t now_us)
{
    if (!*turn->owner)
        return false;
    if (!turn->first_us)
        return now_us < turn->began_us + SL_TURN_CLAIM_US;
    return now_us < turn->last_us + SL_TURN_QUIET_US && now_us < turn->first_us + SL_TURN_LONGEST_US;
}

/* The log says that somebody asks for a turn: it is his, unless it is another's. */
static inline void sl_turn_asked(struct sl_turn *turn, const char *who, int64_t now_us)
{
    if (strcmp(turn->owner, who) != 0 && sl_turn_lasts(turn, now_us))
        return;
    *turn = (struct sl_turn){.began_us = now_us};
    memcpy(turn->owner, who, strnlen(who, sizeof(turn->owner) - 1));
}

/* The log says that something was written. */
static inline void sl_turn_written(struct sl_turn *turn, int64_t now_us)
{
    turn->last_us = now_us;
    if (!turn->first_us)
        turn->first_us = now_us;
}

static inline enum sl_turn_whose sl_turn_whose(const struct sl_turn *turn, const char *self, int64_t now_us)
{
    if (!sl_turn_lasts(turn, now_us))
        return SL_TURN_NOBODYS;
    return strcmp(turn->owner, self) == 0 ? SL_TURN_OURS : SL_TURN_ANOTHERS;
}

#endif
