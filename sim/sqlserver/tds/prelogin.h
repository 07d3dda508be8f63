/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PRELOGIN (MS-TDS 2.2.6.5): the options of a client, and what the server answers; above all, who encrypts
 * what. No sockets here: bytes in, bytes out.
 */
#ifndef SIM_SQLSERVER_TDS_PRELOGIN_H
#define SIM_SQLSERVER_TDS_PRELOGIN_H

#include "bytes.h"

enum ms_encryption { MS_ENCRYPT_OFF = 0, MS_ENCRYPT_ON = 1, MS_ENCRYPT_NOT_SUP = 2, MS_ENCRYPT_REQ = 3 };

/* What the server wants (--encrypt). */
enum ms_encrypt_policy {
    MS_POLICY_OFF,      /* as without a certificate: answers NOT_SUP */
    MS_POLICY_LOGIN,    /* as a server without "Force Encryption": the client chooses, the login at least */
    MS_POLICY_ON,       /* everything, for every client that can */
    MS_POLICY_REQUIRED, /* everything; clients that cannot are turned away */
};

enum ms_tls_span { MS_TLS_NOTHING, MS_TLS_LOGIN, MS_TLS_ALL, MS_TLS_REFUSE };

struct ms_prelogin {
    uint8_t encryption; /* enum ms_encryption, without the client certificate bit */
    bool mars;
};

/* False for a message that is none: offsets outside it, no end mark. */
bool ms_prelogin_parse(const uint8_t *data, size_t len, struct ms_prelogin *ret_prelogin);
enum ms_tls_span ms_prelogin_negotiate(uint8_t client, enum ms_encrypt_policy policy, uint8_t *ret_answer);
void ms_prelogin_put_answer(struct ms_bytes *out, uint8_t encryption);

/* The version that the server gives itself: SQL Server 2019, 15.0.4430. */
#define MS_VERSION_MAJOR 15
#define MS_VERSION_MINOR 0
#define MS_VERSION_BUILD 4430

#endif
