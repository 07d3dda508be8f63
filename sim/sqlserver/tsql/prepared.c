/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with parameters: kept parsed by text, named by handles (sp_prepare and its kin), called over the
 * wire. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lexer.h"
#include "procedure.h"

#define KEPT_MAX 256
#define KEPT_TEXT_MAX ((size_t)8 * 1024) /* longer texts without a handle are not kept */

struct ms_prepared {
    struct ms_prepared *next; /* most recently used first */
    struct ms_batch batch;
    char *text;
    size_t len;
    bool quoted_identifier; /* as it was when the text was parsed */
    char *declaration;      /* NULL: none */
    int32_t handle;         /* 0: only kept for its text */
    int busy;
    bool dropped; /* unprepared while running */
};

static void drop(struct ms_prepared *p)
{
    ms_batch_free(&p->batch);
    free(p->text);
    free(p->declaration);
    free(p);
}

static bool same_declaration(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static struct ms_prepared *find_text(struct ms_language *l, const char *text, size_t len,
                                     const char *declaration)
{
    for (struct ms_prepared **link = &l->prepared; *link; link = &(*link)->next) {
        struct ms_prepared *p = *link;
        if (p->handle || p->busy || p->len != len || p->quoted_identifier != l->quoted_identifier ||
            memcmp(p->text, text, len) != 0 || !same_declaration(p->declaration, declaration))
            continue;
        *link = p->next;
        p->next = l->prepared;
        l->prepared = p;
        return p;
    }
    return NULL;
}

static struct ms_prepared *prepare(struct ms_language *l, const char *text, size_t len,
                                   const char *declaration, int *ret_line, struct ms_error *err)
{
    struct ms_prepared *p = ms_heap_alloc(sizeof *p);
    p->text = ms_heap_text(text, len);
    p->len = len;
    p->declaration = declaration ? ms_heap_text(declaration, strlen(declaration)) : NULL;
    p->quoted_identifier = l->quoted_identifier;
    if (!ms_parse_batch(p->text, len, p->declaration, p->quoted_identifier, &p->batch, ret_line, err)) {
        drop(p);
        return NULL;
    }
    p->next = l->prepared;
    l->prepared = p;
    return p;
}

struct ms_batch *ms_prepared_text(struct ms_language *l, const char *text, size_t len,
                                  const char *declaration, int *ret_line, struct ms_error *err)
{
    struct ms_prepared *p = find_text(l, text, len, declaration);
    *ret_line = 1;
    if (!p)
        p = prepare(l, text, len, declaration, ret_line, err);
    if (!p)
        return NULL;
    p->busy++;
    return &p->batch;
}

static void trim(struct ms_language *l)
{
    size_t n = 0;
    for (struct ms_prepared **link = &l->prepared; *link;) {
        struct ms_prepared *p = *link;
        n += p->handle == 0;
        if ((p->dropped || (p->handle == 0 && (n > KEPT_MAX || p->len > KEPT_TEXT_MAX))) && !p->busy) {
            *link = p->next;
            drop(p);
            continue;
        }
        link = &p->next;
    }
}

void ms_prepared_done(struct ms_language *l, struct ms_batch *batch)
{
    for (struct ms_prepared *p = l->prepared; p; p = p->next)
        if (&p->batch == batch)
            p->busy--;
    trim(l);
}

void ms_prepared_free(struct ms_language *l)
{
    while (l->prepared) {
        struct ms_prepared *p = l->prepared;
        l->prepared = p->next;
        drop(p);
    }
}

static struct ms_prepared *find_handle(struct ms_language *l, int64_t handle)
{
    for (struct ms_prepared *p = l->prepared; p; p = p->next)
        if (p->handle == handle && handle != 0 && !p->dropped)
            return p;
    return NULL;
}

/* --- the calls of the wire --- */

struct rpc {
    struct ms_call call;
    struct ms_session *session;
    const struct ms_sink *sink;
    int line;
};

static const char *text_of(struct rpc *r, size_t i, size_t *ret_len)
{
    struct ms_conversion how = {.to = ms_type_string(true, MS_MAX), .style = MS_STYLE_NONE};
    struct ms_value v;
    *ret_len = 0;
    if (i >= r->call.n_args || r->call.args[i].use_default)
        return NULL;
    how.from = r->call.args[i].type;
    if (!ms_convert(r->call.arena, &how, &r->call.args[i].value, &v, r->call.err) || v.is_null)
        return NULL;
    *ret_len = v.len;
    return ms_arena_dup(r->call.arena, v.bytes, v.len);
}

static int64_t handle_of(struct rpc *r, size_t i)
{
    struct ms_conversion how = {.to = {.id = MS_BIGINT}, .style = MS_STYLE_NONE};
    struct ms_value v;
    if (i >= r->call.n_args)
        return 0;
    how.from = r->call.args[i].type;
    return ms_convert(r->call.arena, &how, &r->call.args[i].value, &v, r->call.err) && !v.is_null ? v.i : 0;
}

static bool missing(struct rpc *r, const char *procedure, const char *parameter)
{
    return ms_error_set(r->call.err, 201, 16, 10,
                        "Procedure or function '%s' expects parameter '%s', which was not supplied.",
                        procedure, parameter);
}

static void give_handle(struct rpc *r, int32_t handle)
{
    struct ms_argument *a = &r->call.args[0];
    a->type = (struct ms_type){.id = MS_INT};
    a->value = (struct ms_value){.i = handle};
    a->changed = true;
}

static struct ms_prepared *prepare_handle(struct rpc *r)
{
    size_t len, ignored;
    const char *declaration = text_of(r, 1, &ignored), *text = text_of(r, 2, &len);
    struct ms_language *l = r->call.l;
    if (!text) {
        (void)missing(r, "sp_prepare", "@stmt");
        return NULL;
    }
    struct ms_prepared *p =
        prepare(l, text, len, declaration && declaration[0] ? declaration : NULL, &r->line, r->call.err);
    if (p) {
        p->handle = l->next_handle++;
        give_handle(r, p->handle);
    }
    return p;
}

static bool run_handle(struct rpc *r, struct ms_prepared *p, size_t skip)
{
    for (size_t i = skip; i < r->call.n_args; i++) /* these go by position, whatever their names */
        r->call.args[i].name = r->call.args[i].name && r->call.args[i].name[0] ? r->call.args[i].name : "";
    p->busy++;
    bool ok = ms_call_batch(&r->call, &p->batch, "", r->call.args + skip, r->call.n_args - skip);
    p->busy--;
    return ok;
}

static bool sp_prepare(struct rpc *r)
{
    return prepare_handle(r) != NULL;
}

static bool sp_prepexec(struct rpc *r)
{
    struct ms_prepared *p = prepare_handle(r);
    return p && run_handle(r, p, 3);
}

static bool no_handle(struct rpc *r, int64_t handle)
{
    return ms_error_set(r->call.err, 8179, 16, 2, "Could not find prepared statement with handle %lld.",
                        (long long)handle);
}

static bool sp_execute(struct rpc *r)
{
    int64_t handle = handle_of(r, 0);
    struct ms_prepared *p = find_handle(r->call.l, handle);
    return p ? run_handle(r, p, 1) : no_handle(r, handle);
}

static bool sp_unprepare(struct rpc *r)
{
    int64_t handle = handle_of(r, 0);
    struct ms_prepared *p = find_handle(r->call.l, handle);
    if (!p)
        return no_handle(r, handle);
    p->dropped = true;
    trim(r->call.l);
    return true;
}

static bool by_name(struct rpc *r, const char *procedure)
{
    struct ms_token *t;
    struct ms_name name = {.n = 0};
    if (!ms_lex(r->call.arena, procedure, strlen(procedure), &t, &r->line, r->call.err))
        return false;
    for (size_t i = 0; name.n < 4; i++) {
        bool dot = t[i].kind == MS_TOKEN_SYMBOL && t[i].text[0] == '.';
        if (t[i].kind == MS_TOKEN_NAME)
            name.parts[name.n++] = t[i].text;
        else if (dot && i > 0 && t[i - 1].kind == MS_TOKEN_SYMBOL && t[i - 1].text[0] == '.')
            name.parts[name.n++] = "";
        else if (!dot)
            break;
    }
    if (name.n == 0)
        return ms_error_set(r->call.err, 2812, 16, 62, "Could not find stored procedure '%s'.", procedure);
    return ms_call_procedure(&r->call, &name);
}

static bool dispatch(struct rpc *r, const char *procedure)
{
    static const struct {
        const char *name;
        bool (*call)(struct rpc *r);
    } special[] = {{"sp_prepare", sp_prepare},
                   {"sp_prepexec", sp_prepexec},
                   {"sp_execute", sp_execute},
                   {"sp_unprepare", sp_unprepare}};
    const char *last = strrchr(procedure, '.');
    last = last ? last + 1 : procedure;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (strcasecmp(last, special[i].name) == 0)
            return special[i].call(r);
    return by_name(r, procedure);
}

static void answer(struct rpc *r, const struct ms_param *params)
{
    struct ms_language *l = r->call.l;
    if (!l->gone && !r->sink->return_status(r->sink->ctx, r->call.status))
        l->gone = true;
    for (size_t i = 0; i < r->call.n_args && !l->gone; i++) {
        const struct ms_argument *a = &r->call.args[i];
        if (!a->changed)
            continue;
        struct ms_column column = {
            .name = params[i].column.name ? params[i].column.name : "", .type = a->type, .nullable = true};
        if (!r->sink->return_value(r->sink->ctx, &column, &a->value))
            l->gone = true;
    }
}

void ms_session_call(struct ms_session *session, const char *procedure, struct ms_param *params,
                     size_t n_params, const struct ms_sink *sink)
{
    struct ms_language *l = ms_language_of(session);
    struct ms_arena arena = {0};
    struct ms_error err = {0};
    struct rpc r = {.session = session, .sink = sink, .line = 1};
    r.call = (struct ms_call){.l = l, .arena = &arena, .err = &err, .n_args = n_params};
    r.call.args = ms_arena_alloc(&arena, (n_params + 1) * sizeof *r.call.args);
    for (size_t i = 0; i < n_params; i++)
        r.call.args[i] = (struct ms_argument){.name = params[i].column.name,
                                              .type = params[i].column.type,
                                              .value = params[i].value,
                                              .output = params[i].output,
                                              .use_default = params[i].use_default};
    l->sink = sink;
    l->gone = false;
    session->cancelled = false;
    if (!dispatch(&r, procedure)) {
        l->last_error = err.number;
        ms_tell(l, &err, r.line);
        ms_tell_done(l, MS_CMD_EXECUTE, -1, true);
        r.call.status = err.number;
    }
    ms_session_settle(l);
    answer(&r, params);
    ms_arena_free(&arena);
}
