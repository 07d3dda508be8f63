/* SPDX-License-Identifier: Apache-2.0 */
/* SET options and USE. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "execute.h"
#include "temporary.h"

static bool set_isolation(struct ms_run *run, const char *level)
{
    static const struct {
        const char *name;
        enum ms_isolation isolation;
    } levels[] = {{"read uncommitted", MS_READ_UNCOMMITTED},
                  {"read committed", MS_READ_COMMITTED},
                  {"repeatable read", MS_REPEATABLE_READ},
                  {"serializable", MS_SERIALIZABLE},
                  {"snapshot", MS_SNAPSHOT}};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcasecmp(level, levels[i].name) == 0)
            run->session->isolation = levels[i].isolation;
    return true;
}

static bool set_identity_insert(struct ms_run *run, struct ms_statement *st)
{
    struct ms_from target = {.kind = MS_FROM_NAME, .name = st->name, .slot = -1};
    const struct ms_table *table;
    bool temporary;
    if (!ms_bind_target(run->l, &target, &table, &temporary, run->err))
        return ms_error_set(run->err, 1088, 16, 11,
                            "Cannot find the object \"%s\" because it does not exist or you do not "
                            "have permissions.",
                            ms_name_text(&run->arena, &st->name));
    if (table->identity_column < 0)
        return ms_error_set(run->err, 8106, 16, 1,
                            "Table '%s' does not have the identity property. Cannot perform SET "
                            "operation.",
                            ms_name_text(&run->arena, &st->name));
    const struct ms_table *other =
        run->l->identity_insert > 0 ? ms_catalog_table_by_id(run->session, run->l->identity_insert) : NULL;
    if (st->flag && other && other != table)
        return ms_error_set(run->err, 8107, 16, 1,
                            "IDENTITY_INSERT is already ON for table '%s.%s.%s'. Cannot perform SET "
                            "operation for table '%s'.",
                            other->db_name, other->schema, other->name, table->name);
    if (st->flag)
        run->l->identity_insert = table->object_id;
    else if (run->l->identity_insert == table->object_id)
        run->l->identity_insert = 0;
    return true;
}

/* What an option may be set to when it changes nothing here. */
enum allowed { EITHER, ONLY_ON, ONLY_OFF };

static bool unknown(struct ms_run *run, const char *word)
{
    return ms_error_set(run->err, 195, 15, 5, "'%s' is not a recognized SET option.", word);
}

/* An option of SQL Server's whose other value this server cannot follow: refused, so that nobody counts on
 * it. */
static bool set_fixed(struct ms_run *run, const char *word, bool on)
{
    static const struct {
        const char *name;
        enum allowed allowed;
    } fixed[] = {{"ansi_nulls", ONLY_ON},
                 {"ansi_warnings", ONLY_ON},
                 {"concat_null_yields_null", ONLY_ON},
                 {"ansi_null_dflt_on", ONLY_ON},
                 {"ansi_null_dflt_off", ONLY_OFF},
                 {"numeric_roundabort", ONLY_OFF},
                 {"cursor_close_on_commit", ONLY_OFF},
                 {"offsets", ONLY_OFF},
                 {"showplan_all", ONLY_OFF},
                 {"showplan_text", ONLY_OFF},
                 {"showplan_xml", ONLY_OFF},
                 {"arithignore", EITHER}, /* speaks only when ANSI_WARNINGS is off */
                 {"remote_proc_transactions", EITHER},
                 {"forceplan", EITHER}, /* the way to an answer, not the answer */
                 {"no_browsetable", EITHER},
                 {"parseonly", EITHER}, /* was heeded when the batch was parsed */
                 {"disable_def_cnst_chk", EITHER}};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcasecmp(word, fixed[i].name) != 0)
            continue;
        bool refused = fixed[i].allowed != EITHER && on != (fixed[i].allowed == ONLY_ON);
        if (refused && strncasecmp(word, "showplan", 8) == 0)
            return ms_error_set(run->err, 262, 14, 4, "SHOWPLAN permission denied in database '%s'.",
                                run->session->database);
        return !refused || unknown(run, ms_arena_format(&run->arena, "%s %s", word, on ? "ON" : "OFF"));
    }
    return unknown(run, word);
}

static bool set_switch(struct ms_run *run, const char *word, bool on)
{
    struct ms_language *l = run->l;
    const struct {
        const char *name;
        bool *value;
    } switches[] = {{"nocount", &l->nocount},
                    {"xact_abort", &l->xact_abort},
                    {"implicit_transactions", &l->implicit_transactions},
                    {"arithabort", &l->arith_abort},
                    {"quoted_identifier", &l->quoted_identifier},
                    {"ansi_padding", &l->ansi_padding},
                    {"fmtonly", &l->fmt_only},
                    {"noexec", &l->no_exec}};
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (strcasecmp(word, switches[i].name) == 0) {
            *switches[i].value = on;
            return true;
        }
    }
    return set_fixed(run, word, on);
}

static bool out_of_range(struct ms_run *run, const struct ms_statement *st, int64_t n)
{
    if (strcasecmp(st->word, "datefirst") == 0)
        return ms_error_set(run->err, 2744, 16, 2, "SET DATEFIRST %lld is out of range.", (long long)n);
    return ms_error_set(run->err, 102, 15, 6, "Incorrect syntax near '%lld'.", (long long)n);
}

static bool set_context_info(struct ms_run *run, const struct ms_statement *st)
{
    struct ms_type binary = {.id = MS_VARBINARY, .length = sizeof run->l->context_info};
    struct ms_value v;
    if (!ms_run_evaluate(run, st->expr, &binary, &v, NULL))
        return false;
    memset(run->l->context_info, 0, sizeof run->l->context_info);
    run->l->has_context_info = !v.is_null;
    if (!v.is_null && v.len)
        memcpy(run->l->context_info, v.bytes,
               v.len < sizeof run->l->context_info ? v.len : sizeof run->l->context_info);
    return true;
}

static bool set_number(struct ms_run *run, struct ms_statement *st)
{
    struct ms_type bigint = {.id = MS_BIGINT};
    struct ms_value v;
    if (strcasecmp(st->word, "context_info") == 0)
        return set_context_info(run, st);
    if (!ms_run_evaluate(run, st->expr, &bigint, &v, NULL))
        return false;
    int64_t n = v.is_null ? 0 : v.i;
    if (strcasecmp(st->word, "lock_timeout") == 0)
        run->session->lock_timeout_ms = n < 0 ? -1 : (int32_t)n;
    else if (strcasecmp(st->word, "textsize") == 0)
        run->l->text_size = n == 0 ? 4096 : n < 0 || n > 2147483647 ? 2147483647 : (int32_t)n;
    else if (strcasecmp(st->word, "rowcount") == 0)
        run->l->row_limit = n < 0 ? 0 : n;
    else if (strcasecmp(st->word, "datefirst") == 0 && n >= 1 && n <= 7)
        run->l->date_first = (int32_t)n;
    else if (strcasecmp(st->word, "deadlock_priority") == 0 && n >= -10 && n <= 10)
        run->session->deadlock_priority = (int32_t)n;
    else if (strcasecmp(st->word, "datefirst") == 0 || strcasecmp(st->word, "deadlock_priority") == 0)
        return out_of_range(run, st, n);
    else if (strcasecmp(st->word, "query_governor_cost_limit") != 0 || n != 0)
        return unknown(run, st->word);
    return true;
}

static bool set_deadlock_priority(struct ms_run *run, const char *word)
{
    static const struct {
        const char *word;
        int32_t priority;
    } words[] = {{"low", -5}, {"normal", 0}, {"high", 5}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(word, words[i].word) == 0) {
            run->session->deadlock_priority = words[i].priority;
            return true;
        }
    }
    return ms_error_set(run->err, 102, 15, 6, "Incorrect syntax near '%s'.", word);
}

static bool set_word(struct ms_run *run, struct ms_statement *st)
{
    const char *old = ms_arena_text(&run->arena, run->l->language_name);
    if (strcasecmp(st->word, "deadlock_priority") == 0)
        return set_deadlock_priority(run, st->word2);
    if (strcasecmp(st->word, "dateformat") == 0)
        return strcasecmp(st->word2, "mdy") == 0 || ms_error_set(run->err, 2741, 16, 1,
                                                                 "SET DATEFORMAT date order '%s' is "
                                                                 "invalid. This server knows only mdy.",
                                                                 st->word2);
    if (strcasecmp(st->word, "language") != 0)
        return false;
    if (strcasecmp(st->word2, "us_english") != 0 && strcasecmp(st->word2, "english") != 0)
        return ms_error_set(run->err, 2732, 16, 1,
                            "Language '%s' is not available. This server knows only us_english.", st->word2);
    (void)snprintf(run->l->language_name, sizeof run->l->language_name, "us_english");
    if (!run->sink->env(run->sink->ctx, MS_ENV_LANGUAGE, run->l->language_name, old, 0))
        run->l->gone = true;
    ms_tell_info(run->l, 5703, 1, 0, "Changed language setting to us_english.");
    return true;
}

/* SET A, B, C ON */
static bool set_list(struct ms_run *run, struct ms_statement *st)
{
    char *list = ms_arena_text(&run->arena, st->word), *save = NULL;
    for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save))
        if (!set_switch(run, word, st->flag))
            return false;
    return true;
}

static bool set_option(struct ms_run *run, struct ms_statement *st)
{
    if (strcasecmp(st->word, "transaction isolation level") == 0)
        return set_isolation(run, st->word2);
    if (strcasecmp(st->word, "identity_insert") == 0)
        return set_identity_insert(run, st);
    if (strcasecmp(st->word, "statistics") == 0) /* there are none to show */
        return !st->flag || unknown(run, ms_arena_format(&run->arena, "STATISTICS %s", st->word2));
    if (st->expr)
        return set_number(run, st);
    if (st->word2) {
        run->err->number = 0;
        return set_word(run, st) || (run->err->number ? false : unknown(run, st->word));
    }
    return set_list(run, st);
}

bool ms_run_option(struct ms_run *run, struct ms_statement *st)
{
    struct ms_error ignored;
    run->command = MS_CMD_SET;
    if (!ms_statement_begin(run->session, MS_STATEMENT_READ, run->err))
        return false;
    bool ok = set_option(run, st);
    return ms_statement_end(run->session, ok, ok ? run->err : &ignored) && ok;
}

bool ms_run_use(struct ms_run *run, const char *database)
{
    char old[129];
    (void)snprintf(old, sizeof old, "%s", run->session->database);
    run->command = MS_CMD_OTHER;
    if (!ms_session_use(run->session, database, run->err))
        return false;
    if (!run->sink->env(run->sink->ctx, MS_ENV_DATABASE, run->session->database, old, 0))
        run->l->gone = true;
    ms_tell_info(run->l, 5701, 2, 0,
                 ms_arena_format(&run->arena, "Changed database context to '%s'.", run->session->database));
    return true;
}
