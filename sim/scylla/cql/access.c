/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles and permissions, kept in system_auth as ScyllaDB keeps them and written through this very language.
 * Permissions are recorded and listed; nothing is refused for the lack of one.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../storage/arena.h"
#include "../types/collection.h"
#include "../types/order.h"
#include "language.h"
#include "parser.h"

/* One of the texts below, with its values. */
static bool run_text(struct sy_run *run, const char *cql, const struct sy_value *values, uint32_t n,
                     struct sy_result *ret)
{
    static const struct sy_parameters parameters = {.paging_state = {.len = SY_NULL}};
    struct sy_run inner = {.server = run->server, .node = run->node, .arena = run->arena, .consistency = 1};
    struct sy_error error;
    const struct sy_plan *plan =
        sy_plan_make(run->server, "system_auth", cql, strlen(cql), run->arena, &error);
    if (plan == NULL)
        return sy_run_fail(run, error.code, "%s", error.message);
    inner.node_bits = run->node_bits;
    *ret = (struct sy_result){.kind = SY_VOID, .paging_state = {.len = SY_NULL}};
    bool done = sy_run_values(&inner, plan->markers, plan->n_markers, n, values, NULL);
    if (done && plan->statement->kind == SY_STATEMENT_SELECT) {
        done = sy_run_select(&inner, &plan->select, &parameters, ret);
    } else if (done) {
        struct sy_batch_member one = {.plan = &plan->modify, .values = values, .n_values = n};
        done = sy_run_modify(&inner, &one, 1, ret);
    }
    return done ? true : sy_run_fail(run, inner.error.code, "%s", inner.error.message);
}

static struct sy_value text_value(const char *text)
{
    return (struct sy_value){.len = (int32_t)strlen(text), .bytes = (const uint8_t *)text};
}

static struct sy_value boolean_value(bool v)
{
    static const uint8_t booleans[] = {0, 1};
    return (struct sy_value){.len = 1, .bytes = &booleans[v]};
}

static bool role_exists(struct sy_run *run, const char *name, bool *ret)
{
    struct sy_result result;
    struct sy_value role = text_value(name);
    if (!run_text(run, "SELECT role FROM roles WHERE role = ?", &role, 1, &result))
        return false;
    *ret = result.n_rows > 0;
    return true;
}

static bool set_flag(struct sy_run *run, const char *cql, const char *role, int flag)
{
    struct sy_result result;
    struct sy_value values[2] = {boolean_value(flag == 1), text_value(role)};
    return flag < 0 || run_text(run, cql, values, 2, &result);
}

static bool set_options(struct sy_run *run, const struct sy_role_statement *role)
{
    if (!set_flag(run, "UPDATE roles SET is_superuser = ? WHERE role = ?", role->name, role->superuser) ||
        !set_flag(run, "UPDATE roles SET can_login = ? WHERE role = ?", role->name, role->login))
        return false;
    if (role->password != NULL && !sy_store_set_password(run->server, role->name, role->password))
        return sy_run_fail(run, 0x0000, "the password of role %s could not be kept", role->name);
    return true;
}

static bool create_role(struct sy_run *run, const struct sy_role_statement *role)
{
    bool exists;
    struct sy_result result;
    struct sy_value values[3] = {text_value(role->name), boolean_value(role->login == 1 || role->user),
                                 boolean_value(role->superuser == 1)};
    if (!role_exists(run, role->name, &exists))
        return false;
    if (exists)
        return role->if_not_exists || sy_run_fail(run, 0x2200, "Role %s already exists.", role->name);
    return run_text(run, "INSERT INTO roles (role, can_login, is_superuser) VALUES (?, ?, ?)", values, 3,
                    &result) &&
           set_options(run, role);
}

static bool alter_role(struct sy_run *run, const struct sy_role_statement *role)
{
    bool exists;
    if (!role_exists(run, role->name, &exists))
        return false;
    if (!exists)
        return role->if_exists || sy_run_fail(run, 0x2200, "Role %s doesn't exist.", role->name);
    return set_options(run, role);
}

static bool drop_role(struct sy_run *run, const struct sy_role_statement *role)
{
    bool exists;
    struct sy_result result;
    struct sy_value name = text_value(role->name);
    if (!role_exists(run, role->name, &exists))
        return false;
    if (!exists)
        return role->if_exists || sy_run_fail(run, 0x2200, "Role %s doesn't exist.", role->name);
    return run_text(run, "DELETE FROM roles WHERE role = ?", &name, 1, &result);
}

/* "KEYSPACE ks" is data/ks, "ks.t" is data/ks/t, "ALL KEYSPACES" is data, "ROLE r" is roles/r. */
static const char *resource_name(struct sy_run *run, const struct sy_session *session, const char *text)
{
    char first[64] = "", second[128] = "";
    int n = sscanf(text, "%63s %127s", first, second);
    if (n == 2 && strcasecmp(first, "all") == 0)
        return strncasecmp(second, "role", 4) == 0 ? "roles" : "data";
    if (n == 2 && strcasecmp(first, "keyspace") == 0)
        return sy_arena_format(run->arena, "data/%s", second);
    if (n == 2 && strcasecmp(first, "role") == 0)
        return sy_arena_format(run->arena, "roles/%s", second);
    char *table = sy_arena_text(run->arena, n == 2 ? second : first);
    char *dot = strchr(table, '.');
    if (dot == NULL)
        return sy_arena_format(run->arena, "data/%s/%s", session->keyspace != NULL ? session->keyspace : "",
                               table);
    *dot = '/';
    return sy_arena_format(run->arena, "data/%s", table);
}

/* A set<text> of one permission, or of all that there are. */
static struct sy_value permission_set(struct sy_run *run, const char *text)
{
    static const char *const all[] = {"ALTER", "AUTHORIZE", "CREATE", "DESCRIBE",
                                      "DROP",  "EXECUTE",   "MODIFY", "SELECT"};
    struct sy_value values[sizeof all / sizeof *all];
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strncasecmp(text, "all", 3) == 0 || strncasecmp(text, all[i], strlen(all[i])) == 0)
            values[n++] = text_value(all[i]);
    return sy_make_elements((int32_t)n, values, n, run->arena);
}

static bool in_set(struct sy_value set, struct sy_value wanted)
{
    struct sy_walk walk;
    struct sy_value one;
    (void)sy_walk_collection(&walk, set);
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &one); i++)
        if (sy_bytes_compare(one, wanted) == 0)
            return true;
    return false;
}

/* old with the texts of change added or taken away: the collections of system tables are frozen ones. */
static struct sy_value changed_set(struct sy_run *run, struct sy_value old, struct sy_value change, bool adds)
{
    struct sy_walk walk;
    struct sy_value one;
    struct sy_list list = {0};
    (void)sy_walk_collection(&walk, old);
    for (int32_t i = 0; i < walk.left && sy_walk_next(&walk, &one); i++)
        if (!in_set(change, one))
            *(struct sy_value *)sy_list_add(&list, sizeof one, run->arena) = one;
    (void)sy_walk_collection(&walk, change);
    for (int32_t i = 0; adds && i < walk.left && sy_walk_next(&walk, &one); i++)
        *(struct sy_value *)sy_list_add(&list, sizeof one, run->arena) = one;
    const struct sy_type *set = sy_type_set(run->server, sy_type_native(SY_TEXT), true);
    return sy_make_sorted(set, list.items, list.n, run->arena);
}

/* Reads a set by its key, changes it and writes it back. */
static bool change_set(struct sy_run *run, const char *select, const char *update, struct sy_value change,
                       bool adds, const struct sy_value *key, uint32_t n_key)
{
    struct sy_result result;
    struct sy_value old = {.len = SY_NULL}, values[3];
    if (!run_text(run, select, key, n_key, &result))
        return false;
    if (result.n_rows > 0)
        old = result.cells[0];
    values[0] = changed_set(run, old, change, adds);
    memcpy(values + 1, key, n_key * sizeof *key);
    return run_text(run, update, values, n_key + 1, &result);
}

static bool grant(struct sy_run *run, const struct sy_session *session, const struct sy_role_statement *role)
{
    bool exists;
    if (!role_exists(run, role->grantee, &exists))
        return false;
    if (!exists)
        return sy_run_fail(run, 0x2200, "Role %s doesn't exist.", role->grantee);
    struct sy_value key[2] = {text_value(role->grantee)};
    if (role->grants_role) {
        struct sy_value name = text_value(role->permission);
        return change_set(run, "SELECT member_of FROM roles WHERE role = ?",
                          "UPDATE roles SET member_of = ? WHERE role = ?",
                          sy_make_elements(1, &name, 1, run->arena), role->grant, key, 1);
    }
    key[1] = text_value(resource_name(run, session, role->resource));
    return change_set(run, "SELECT permissions FROM role_permissions WHERE role = ? AND resource = ?",
                      "UPDATE role_permissions SET permissions = ? WHERE role = ? AND resource = ?",
                      permission_set(run, role->permission), role->grant, key, 2);
}

static bool list_permissions(struct sy_run *run, const struct sy_role_statement *role, struct sy_result *ret)
{
    if (role->grantee == NULL)
        return run_text(run, "SELECT role, resource, permissions FROM role_permissions", NULL, 0, ret);
    struct sy_value name = text_value(role->grantee);
    return run_text(run, "SELECT role, resource, permissions FROM role_permissions WHERE role = ?", &name, 1,
                    ret);
}

static bool list_roles(struct sy_run *run, const struct sy_role_statement *role, struct sy_result *ret)
{
    static const char *const all = "SELECT role, is_superuser AS super, can_login AS login FROM roles";
    if (role->grantee == NULL)
        return run_text(run, all, NULL, 0, ret);
    struct sy_value name = text_value(role->grantee);
    return run_text(run, "SELECT role, is_superuser AS super, can_login AS login FROM roles WHERE role = ?",
                    &name, 1, ret);
}

void sy_run_access(struct sy_session *session, struct sy_run *run, const struct sy_statement *statement,
                   struct sy_result *ret)
{
    const struct sy_role_statement *role = statement->role;
    switch ((int)statement->kind) {
    case SY_CREATE_ROLE: (void)create_role(run, role); break;
    case SY_ALTER_ROLE: (void)alter_role(run, role); break;
    case SY_DROP_ROLE: (void)drop_role(run, role); break;
    case SY_GRANT: (void)grant(run, session, role); break;
    case SY_LIST_ROLES: (void)list_roles(run, role, ret); break;
    default: (void)list_permissions(run, role, ret); break;
    }
}
