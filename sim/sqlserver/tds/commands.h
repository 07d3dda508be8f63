/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the control socket, taken apart. No sockets, no effects: text in, a command out.
 */
#ifndef SIM_SQLSERVER_TDS_COMMANDS_H
#define SIM_SQLSERVER_TDS_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ms_command_word {
    MS_WORD_CUT_ONCE,   /* cut after N */
    MS_WORD_CUT_EACH,   /* cut each after N */
    MS_WORD_CUT_OFF,    /* cut off */
    MS_WORD_DELAY,      /* delay MS */
    MS_WORD_REFUSE,     /* refuse on|off: number 1 or 0 */
    MS_WORD_RESTART,    /* restart */
    MS_WORD_KILL,       /* kill SPID|all: number 0 for all */
    MS_WORD_RECORD,     /* record PATH TEXT */
    MS_WORD_REPLAY,     /* replay PATH N */
    MS_WORD_REPLAY_OFF, /* replay off */
    MS_WORD_SERVER,     /* everything else: for ms_server_fault */
};

struct ms_control_command {
    enum ms_command_word word;
    uint64_t number;
    char path[512];
    const char *text; /* in the line: what to record, up to its end */
};

/* False with a text when a known word has a wrong argument. */
bool ms_command_parse(const char *line, struct ms_control_command *ret_command, char *ret_text, size_t size);

#endif
