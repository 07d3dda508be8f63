/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients ask for, taken apart: ALL_HEADERS, procedure calls, transaction manager requests. No sockets
 * here.
 */
#ifndef SIM_SQLSERVER_TDS_REQUEST_H
#define SIM_SQLSERVER_TDS_REQUEST_H

#include "types.h"
#include "../session.h"

/* Skip the headers that begin batches, calls and transaction requests from TDS 7.2 on. False when they lie.
 */
bool ms_request_skip_headers(struct ms_reader *reader);

enum ms_call_result {
    MS_CALL_OK,
    MS_CALL_END,         /* no further call in this message */
    MS_CALL_BROKEN,      /* the stream makes no sense: `problem` says where */
    MS_CALL_INVALID,     /* a value that its type does not have: `problem` says which */
    MS_CALL_UNSUPPORTED, /* a parameter of a type that this server does not take: `problem` says which */
};

#define MS_MAX_PARAMS 2200 /* SQL Server takes 2,100, and sp_executesql two more */

struct ms_call {
    const char *procedure;
    struct ms_param *params; /* in scratch */
    size_t n_params;
    char problem[320];
};

/* The next call of an RPC message, after its headers. Text and values live in scratch or in the message. */
enum ms_call_result ms_request_next_call(struct ms_reader *reader, struct ms_scratch *scratch,
                                         struct ms_call *ret);

struct ms_tran_call {
    uint16_t request; /* enum ms_tran_request, when the server knows it */
    uint8_t isolation;
    bool begin_again;
    const char *name;
};

bool ms_request_read_tran(struct ms_reader *reader, struct ms_scratch *scratch,
                          struct ms_tran_call *ret_tran);

#endif
