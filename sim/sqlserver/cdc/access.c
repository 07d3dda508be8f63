/* SPDX-License-Identifier: Apache-2.0 */
#include "../storage/login.h"
#include "access.h"

bool ms_cdc_may_read(struct ms_session *session, int32_t db_id, const char *role,
                     const struct ms_table *source)
{
    struct ms_error ignored;
    if (session->sysadmin || session->internal)
        return true;
    int32_t user = ms_login_user(session, db_id);
    if (!user)
        return false;
    if (ms_login_in_role(session, db_id, user, "db_owner"))
        return true;
    return (!*role || ms_login_in_role(session, db_id, user, role)) && source &&
           ms_access_check(session, source, MS_MAY_SELECT, &ignored);
}
