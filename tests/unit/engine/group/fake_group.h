/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log that several workers of one process share, as far as a cluster needs it: keyed texts with watchers,
 * claims, and a group that hands out slots when the test says so.
 */
#ifndef SLUICE_TESTS_FAKE_GROUP_H
#define SLUICE_TESTS_FAKE_GROUP_H

#include "sluice/membership.h"
#include "sluice/transport.h"

enum { FAKE_SLOTS = 16 };

extern struct sl_transport fake_group_log;

void fake_group_reset(void);
/* Hand the slots out evenly among the members that are alive, moving as few as that takes; returns when
 * everything that was asked for has been given back. */
void fake_group_settle(void);
/* From now on the member is gone for the others, and does not know it. */
void fake_group_silence(const char *worker);
/* It learns that it was gone, and is a member again. */
void fake_group_wake(const char *worker);
/* How often a claim was taken; who has it now is whoever was last. */
int fake_group_claims(void);
/* Claims take a while from now on; how many are being made; and how often slot 0 was given back during one.
 */
void fake_group_slow_claims(void);
int fake_group_claiming(void);
int fake_group_early_returns(void);
/* Another worker took the claim, whatever its right, and says that it leads. */
void fake_group_usurp(const char *worker);
/* The group stops to answer this member; and has found itself again: the slots are where they were. */
void fake_group_doubt(const char *worker);
void fake_group_speak(const char *worker);
int fake_group_fenced(void); /* exclusive ids that were fenced */

#endif
