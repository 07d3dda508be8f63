/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LOGIN7 (MS-TDS 2.2.6.4): what a client says of itself. No sockets here. Every offset and length is checked
 * against the message: one that lies makes the parse fail.
 */
#ifndef SIM_SQLSERVER_TDS_LOGIN_H
#define SIM_SQLSERVER_TDS_LOGIN_H

#include "bytes.h"

struct ms_login {
    uint32_t tds_version; /* 0x74000004 */
    uint32_t packet_bytes;
    bool integrated_security; /* SSPI: not for this server */
    bool read_only_intent;
    bool utf8_asked;       /* feature extension 0x0A */
    bool federated;        /* feature extension 0x02 */
    const char *host_name; /* these are UTF-8 in scratch, "" when not given */
    const char *user;
    const char *password;
    const char *app_name;
    const char *library;
    const char *language;
    const char *database;
};

#define MS_TDS_80 0x08000000U /* the first of the bytes is 8 here */
#define MS_TDS_74 0x74000004U
#define MS_TDS_73B 0x730B0003U

bool ms_login_parse(const uint8_t *data, size_t len, struct ms_scratch *scratch, struct ms_login *ret_login);

#endif
