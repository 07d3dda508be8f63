/* SPDX-License-Identifier: Apache-2.0 */
/* The table of scalar functions. Private to storage/. */
#ifndef SIM_SQLSERVER_STORAGE_SCALARS_H
#define SIM_SQLSERVER_STORAGE_SCALARS_H

#include "session_state.h"

struct ms_scalar_entry {
    const char *name;
    const char *sqlite_function;
    const char *type;       /* of the result */
    const char *parameters; /* types, separated by ';'; "any" */
    unsigned char min_parameters;
    bool with_database; /* the database's id goes before the arguments */
    bool needs_sys;     /* only as sys.name */
};

const struct ms_scalar_entry *ms_scalar_find(const char *name);

#endif
