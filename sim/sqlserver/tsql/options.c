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
        run->l->identity_insert ? ms_catalog_table_by_id(run->session, run->l->identity_insert) : NULL;
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

static bool set_switch(struct ms_language *l, const char *word, bool on)
{
    const struct {
        const char *name;
        bool *value;
    } switches[] = {{"nocount", &l->nocount},
                    {"xact_abort", &l->xact_abort},
                    {"implicit_transactions", &l->implicit_transactions},
                    {"arithabort", &l->arith_abort},
                    {"fmtonly", &l->fmt_only},
                    {"noexec", &l->no_exec},
                    {"parseonly", &l->parse_only}};
    static const char *const accepted[] = {"ansi_nulls",
                                           "ansi_padding",
                                           "ansi_warnings",
                                           "ansi_defaults",
                                           "ansi_null_dflt_on",
                                           "ansi_null_dflt_off",
                                           "quoted_identifier",
                                           "concat_null_yields_null",
                                           "arithignore",
                                           "numeric_roundabort",
                                           "cursor_close_on_commit",
                                           "remote_proc_transactions",
                                           "forceplan",
                                           "showplan_all",
                                           "showplan_text",
                                           "showplan_xml",
                                           "statistics",
                                           "no_browsetable",
                                           "offsets",
                                           "disable_def_cnst_chk"};
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (strcasecmp(word, switches[i].name) == 0) {
            *switches[i].value = on;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (strcasecmp(word, accepted[i]) == 0)
            return true;
    return false;
}

static bool set_number(struct ms_run *run, struct ms_statement *st, bool *ret_known)
{
    struct ms_type bigint = {.id = MS_BIGINT};
    struct ms_value v;
    *ret_known = true;
    if (strcasecmp(st->word, "context_info") == 0 || strcasecmp(st->word, "query_governor_cost_limit") == 0)
        return true;
    if (!st->expr || !ms_run_evaluate(run, st->expr, &bigint, &v, NULL)) {
        *ret_known = st->expr != NULL;
        return false;
    }
    int64_t n = v.is_null ? 0 : v.i;
    if (strcasecmp(st->word, "lock_timeout") == 0)
        run->session->lock_timeout_ms = n < 0 ? -1 : (int32_t)n;
    else if (strcasecmp(st->word, "textsize") == 0)
        run->l->text_size = n == 0 ? 4096 : n < 0 ? 2147483647 : (int32_t)n;
    else if (strcasecmp(st->word, "rowcount") == 0)
        run->l->row_limit = n < 0 ? 0 : n;
    else if (strcasecmp(st->word, "datefirst") == 0)
        run->l->date_first = n >= 1 && n <= 7 ? (int32_t)n : 7;
    else if (strcasecmp(st->word, "deadlock_priority") == 0)
        run->session->deadlock_priority = (int32_t)n;
    else
        *ret_known = false;
    return *ret_known;
}

static bool set_word(struct ms_run *run, struct ms_statement *st)
{
    const char *old = ms_arena_text(&run->arena, run->l->language_name);
    if (strcasecmp(st->word, "deadlock_priority") == 0) {
        run->session->deadlock_priority = strcasecmp(st->word2, "low") == 0    ? -5
                                          : strcasecmp(st->word2, "high") == 0 ? 5
                                                                               : 0;
        return true;
    }
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

static bool unknown(struct ms_run *run, const char *word)
{
    return ms_error_set(run->err, 195, 15, 5, "'%s' is not a recognized SET option.", word);
}

/* SET A, B, C ON */
static bool set_list(struct ms_run *run, struct ms_statement *st)
{
    char *list = ms_arena_text(&run->arena, st->word), *save = NULL;
    for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save))
        if (!set_switch(run->l, word, st->flag))
            return unknown(run, word);
    return true;
}

static bool set_option(struct ms_run *run, struct ms_statement *st)
{
    bool known;
    if (strcasecmp(st->word, "transaction isolation level") == 0)
        return set_isolation(run, st->word2);
    if (strcasecmp(st->word, "identity_insert") == 0)
        return set_identity_insert(run, st);
    if (strcasecmp(st->word, "statistics") == 0)
        return true;
    if (st->expr)
        return set_number(run, st, &known) || (known ? false : unknown(run, st->word));
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
