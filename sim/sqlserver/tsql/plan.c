/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <string.h>

static int bind_one(struct ms_language *language, struct ms_plan *plan, size_t i)
{
    const struct ms_parameter *p = &plan->parameters[i];
    int at = (int)i + 1;
    if (p->kind == MS_PARAMETER_VARIABLE)
        return ms_cell_bind(plan->stmt, at, &p->type, &language->frame->slots[p->slot].value);
    if (plan->bound_once)
        return SQLITE_OK;
    if (p->kind == MS_PARAMETER_OPERATION) {
        union {
            const struct ms_operation *in;
            void *out;
        } pointer = {p->operation};
        return sqlite3_bind_pointer(plan->stmt, at, pointer.out, "ms_operation", NULL);
    }
    return ms_cell_bind(plan->stmt, at, &p->type, &p->value);
}

bool ms_plan_open(struct ms_language *language, struct ms_plan *plan, struct ms_error *err)
{
    if (!plan->stmt) {
        plan->bound_once = false;
        if (sqlite3_prepare_v3(language->session->db, plan->sql, -1, 0, &plan->stmt, NULL) != SQLITE_OK)
            return ms_session_sqlite_error(language->session, err);
    }
    /* A conversion that was folded away leaves a parameter which the text does not mention. */
    size_t mentioned = (size_t)sqlite3_bind_parameter_count(plan->stmt);
    for (size_t i = 0; i < plan->n_parameters && i < mentioned; i++)
        if (bind_one(language, plan, i) != SQLITE_OK)
            return ms_session_sqlite_error(language->session, err);
    plan->bound_once = true;
    return true;
}

bool ms_plan_lock(struct ms_session *session, const struct ms_plan *plan, struct ms_error *err)
{
    for (size_t i = 0; i < plan->n_locks; i++)
        if (!ms_lock_table(session, plan->locks[i].object_id, plan->locks[i].mode, err))
            return false;
    return true;
}

int ms_plan_step(struct ms_session *session, struct ms_plan *plan, struct ms_error *err)
{
    int rc = sqlite3_step(plan->stmt);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    (void)ms_session_sqlite_error(session, err);
    return -1;
}

void ms_plan_read(const struct ms_plan *plan, size_t first_column, struct ms_arena *arena,
                  struct ms_value *values)
{
    for (size_t i = 0; i < plan->n_outputs; i++)
        ms_cell_read(plan->stmt, (int)(first_column + i), &plan->outputs[i].column.type, arena, &values[i]);
}

void ms_plan_rewind(struct ms_plan *plan)
{
    if (plan->stmt)
        sqlite3_reset(plan->stmt);
}

void ms_plan_close(struct ms_plan *plan)
{
    sqlite3_finalize(plan->stmt);
    plan->stmt = NULL;
    plan->bound_once = false;
}
