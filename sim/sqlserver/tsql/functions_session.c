/* SPDX-License-Identifier: Apache-2.0 */
/* What the session and the server know about themselves: @@ variables, SERVERPROPERTY, ERROR_NUMBER ... */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../storage/transaction.h"
#include "language.h"
#include "operation.h"

#define PRODUCT_VERSION "15.0.4430.1"

static bool give_text(struct ms_eval *ev, const char *text, struct ms_value *ret)
{
    *ret = (struct ms_value){.len = (uint32_t)strlen(text)};
    ret->bytes = (const uint8_t *)ms_arena_text(ev->arena, text);
    return true;
}

static bool give_null(struct ms_value *ret)
{
    *ret = (struct ms_value){.is_null = true};
    return true;
}

uint64_t ms_language_random(struct ms_language *language)
{
    uint64_t z = language->random += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static bool global_number(struct ms_eval *ev, const char *name, int64_t *ret)
{
    const struct ms_language *l = ev->language;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"@@rowcount", l->row_count},
        {"@@error", l->last_error},
        {"@@trancount", ms_tran_count(ev->session)},
        {"@@spid", ev->session->spid},
        {"@@fetch_status", l->fetch_status},
        {"@@nestlevel", l->nest > 0 ? l->nest - 1 : 0},
        {"@@lock_timeout", ev->session->lock_timeout_ms},
        {"@@datefirst", l->date_first},
        {"@@textsize", l->text_size},
        {"@@langid", 0},
        {"@@max_precision", 38},
        {"@@max_connections", 32767},
        {"@@procid", 0},
        {"@@cursor_rows", 0},
        {"@@timeticks", 31250},
        {"@@microsoftversion", 0x0F00114E},
        {"@@options", (l->implicit_transactions ? 2 : 0) | (l->xact_abort ? 16384 : 0) |
                          (l->nocount ? 512 : 0) | (l->quoted_identifier ? 256 : 0) |
                          (l->ansi_padding ? 16 : 0) | 5160},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcasecmp(name, numbers[i].name) == 0) {
            *ret = numbers[i].value;
            return true;
        }
    }
    return false;
}

static const char *global_text(struct ms_eval *ev, const char *name)
{
    if (strcasecmp(name, "@@version") == 0)
        return "Microsoft SQL Server 2019 (RTM-CU32) (KB5054833) - " PRODUCT_VERSION
               " (X64) \n\tFeb 21 2025 17:28:46 "
               "\n\tCopyright (C) 2019 Microsoft Corporation\n\tDeveloper Edition (64-bit) on Linux (mssim, "
               "the "
               "stand-in of project sluice)";
    if (strcasecmp(name, "@@servername") == 0 || strcasecmp(name, "@@servicename") == 0)
        return name[8] == 'n' || name[8] == 'N' ? "mssim" : "MSSQLSERVER";
    if (strcasecmp(name, "@@language") == 0)
        return ev->language->language_name;
    return NULL;
}

bool ms_op_variable(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                    struct ms_value *ret)
{
    (void)args;
    *ret = ev->language->frame->slots[op->number].value;
    return true;
}

bool ms_op_global(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *args,
                  struct ms_value *ret)
{
    (void)args;
    if (ms_type_class(op->result.id) == MS_CLASS_TEXT)
        return give_text(ev, global_text(ev, op->text), ret);
    if (strcasecmp(op->text, "@@identity") == 0) {
        if (!ev->session->has_identity)
            return give_null(ret);
        ret->dec = ev->session->last_identity;
        return true;
    }
    if (strcasecmp(op->text, "@@dbts") == 0) {
        uint64_t stamp = ms_rowversion_current(ev->session, ev->session->db_id);
        uint8_t *out = ms_arena_alloc(ev->arena, 8);
        for (int i = 0; i < 8; i++)
            out[i] = (uint8_t)(stamp >> (56 - 8 * i));
        *ret = (struct ms_value){.len = 8, .bytes = out};
        return true;
    }
    return global_number(ev, op->text, &ret->i);
}

static bool fn_scope_identity(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                              struct ms_value *ret)
{
    (void)op;
    (void)a;
    const struct ms_frame *frame = ev->language->frame;
    if (!frame || !frame->has_identity)
        return give_null(ret);
    ret->dec = frame->identity;
    return true;
}

static bool fn_serverproperty(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                              struct ms_value *ret)
{
    static const struct {
        const char *name;
        const char *value;
    } properties[] = {
        {"ProductVersion", PRODUCT_VERSION},
        {"ProductMajorVersion", "15"},
        {"ProductMinorVersion", "0"},
        {"ProductBuild", "4430"},
        {"ProductLevel", "RTM"},
        {"ProductUpdateLevel", "CU32"},
        {"Edition", "Developer Edition (64-bit)"},
        {"EditionID", "-2117995310"},
        {"EngineEdition", "3"},
        {"ServerName", "mssim"},
        {"MachineName", "mssim"},
        {"ComputerNamePhysicalNetBIOS", "mssim"},
        {"Collation", "SQL_Latin1_General_CP1_CI_AS"},
        {"CollationID", "872468488"},
        {"SqlCharSet", "1"},
        {"SqlCharSetName", "iso_1"},
        {"SqlSortOrder", "52"},
        {"SqlSortOrderName", "nocase_iso"},
        {"LCID", "1033"},
        {"IsIntegratedSecurityOnly", "0"},
        {"IsClustered", "0"},
        {"IsHadrEnabled", "0"},
        {"IsFullTextInstalled", "0"},
        {"IsSingleUser", "0"},
        {"IsXTPSupported", "1"},
        {"ResourceVersion", "15.00.4430"},
        {"BuildClrVersion", "v4.0.30319"},
        {"InstanceDefaultDataPath", "/var/opt/mssql/data/"},
        {"InstanceDefaultLogPath", "/var/opt/mssql/data/"},
    };
    (void)op;
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
        if (strlen(properties[i].name) == a[0].len &&
            strncasecmp(properties[i].name, (const char *)a[0].bytes, a[0].len) == 0)
            return give_text(ev, properties[i].value, ret);
    return give_null(ret);
}

static const struct ms_caught *caught(const struct ms_eval *ev)
{
    return ev->language->caught;
}

static bool fn_error_number(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                            struct ms_value *ret)
{
    (void)op;
    (void)a;
    if (!caught(ev))
        return give_null(ret);
    ret->i = caught(ev)->error.number;
    return true;
}

static bool fn_error_severity(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                              struct ms_value *ret)
{
    (void)op;
    (void)a;
    if (!caught(ev))
        return give_null(ret);
    ret->i = caught(ev)->error.severity;
    return true;
}

static bool fn_error_state(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                           struct ms_value *ret)
{
    (void)op;
    (void)a;
    if (!caught(ev))
        return give_null(ret);
    ret->i = caught(ev)->error.state;
    return true;
}

static bool fn_error_line(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                          struct ms_value *ret)
{
    (void)op;
    (void)a;
    if (!caught(ev))
        return give_null(ret);
    ret->i = caught(ev)->line;
    return true;
}

static bool fn_error_message(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                             struct ms_value *ret)
{
    (void)op;
    (void)a;
    return caught(ev) ? give_text(ev, caught(ev)->error.text, ret) : give_null(ret);
}

static bool fn_error_procedure(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                               struct ms_value *ret)
{
    (void)op;
    (void)a;
    if (!caught(ev) || !caught(ev)->error.procedure[0])
        return give_null(ret);
    return give_text(ev, caught(ev)->error.procedure, ret);
}

static bool fn_xact_state(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                          struct ms_value *ret)
{
    (void)op;
    (void)a;
    ret->i = ms_tran_count(ev->session) == 0 ? 0 : ev->language->doomed ? -1 : 1;
    return true;
}

static bool fn_newid(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                     struct ms_value *ret)
{
    (void)op;
    (void)a;
    uint8_t *out = ms_arena_alloc(ev->arena, 16);
    uint64_t high = ms_language_random(ev->language), low = ms_language_random(ev->language);
    memcpy(out, &high, 8);
    memcpy(out + 8, &low, 8);
    out[7] = (uint8_t)((out[7] & 0x0F) | 0x40); /* version 4; the third group is little-endian on the wire */
    out[8] = (uint8_t)((out[8] & 0x3F) | 0x80);
    *ret = (struct ms_value){.len = 16, .bytes = out};
    return true;
}

static bool fn_context_info(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                            struct ms_value *ret)
{
    (void)op;
    (void)a;
    const struct ms_language *l = ev->language;
    if (!l->has_context_info)
        return give_null(ret);
    *ret = (struct ms_value){.len = sizeof l->context_info};
    ret->bytes = (const uint8_t *)ms_arena_dup(ev->arena, l->context_info, sizeof l->context_info);
    return true;
}

static bool fn_host_name(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                         struct ms_value *ret)
{
    (void)op;
    (void)a;
    return give_text(ev, ev->session->host_name, ret);
}

static bool fn_app_name(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                        struct ms_value *ret)
{
    (void)op;
    (void)a;
    return give_text(ev, ev->session->app_name, ret);
}

static bool fn_rowcount_big(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                            struct ms_value *ret)
{
    (void)op;
    (void)a;
    ret->i = ev->language->row_count;
    return true;
}

static bool fn_connectionproperty(struct ms_eval *ev, const struct ms_operation *op, const struct ms_value *a,
                                  struct ms_value *ret)
{
    static const struct {
        const char *name;
        const char *value;
    } properties[] = {{"net_transport", "TCP"}, {"protocol_type", "TSQL"}, {"auth_scheme", "SQL"}};
    (void)op;
    for (size_t i = 0; i < 3; i++)
        if (strlen(properties[i].name) == a[0].len &&
            strncasecmp(properties[i].name, (const char *)a[0].bytes, a[0].len) == 0)
            return give_text(ev, properties[i].value, ret);
    return give_null(ret);
}

const struct ms_function ms_functions_session[] = {
    {"scope_identity", 0, 0, "", "identity", fn_scope_identity, true, false},
    {"serverproperty", 1, 1, "u", "nvarchar:128", fn_serverproperty, false, false},
    {"connectionproperty", 1, 1, "u", "nvarchar:128", fn_connectionproperty, false, false},
    {"error_number", 0, 0, "", "int", fn_error_number, true, false},
    {"error_severity", 0, 0, "", "int", fn_error_severity, true, false},
    {"error_state", 0, 0, "", "int", fn_error_state, true, false},
    {"error_line", 0, 0, "", "int", fn_error_line, true, false},
    {"error_message", 0, 0, "", "nvarchar:4000", fn_error_message, true, false},
    {"error_procedure", 0, 0, "", "nvarchar:128", fn_error_procedure, true, false},
    {"xact_state", 0, 0, "", "smallint", fn_xact_state, true, false},
    {"newid", 0, 0, "", "uniqueidentifier", fn_newid, true, false},
    {"newsequentialid", 0, 0, "", "uniqueidentifier", fn_newid, true, false},
    {"context_info", 0, 0, "", "varbinary:128", fn_context_info, true, false},
    {"host_name", 0, 0, "", "nvarchar:128", fn_host_name, true, false},
    {"app_name", 0, 0, "", "nvarchar:128", fn_app_name, true, false},
    {"rowcount_big", 0, 0, "", "bigint", fn_rowcount_big, true, false},
    {NULL, 0, 0, NULL, NULL, NULL, false, false},
};
