/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/side.h"

bool sl_side_is_key(const char *class_name)
{
    const char *dollar = strrchr(class_name, '$');

    return dollar && strcmp(dollar, "$Key") == 0;
}

enum sl_verdict sl_side_refuse(struct sl_side side, const char *transform, struct sl_error *err)
{
    const char *found = sl_is_null(*side.value) ? "null" : sl_type_name((enum sl_type)side.value->tag);

    if (*side.schema)
        return sl_bad_record(
            err, "%s needs structs, and this is a %s. HINT: use it on rows only, with a predicate", transform,
            found);
    return sl_bad_record(
        err,
        "%s needs maps where there is no schema, and this is a %s. HINT: use it on objects only, "
        "with a predicate",
        transform, found);
}
