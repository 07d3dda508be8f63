/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables as Connect describes options (ConfigKeyInfo): what GET /connector-plugins/{p}/config lists,
 * and what validate answers beside each value.
 */
#ifndef SLUICE_API_CONNECT_DEFINITIONS_H
#define SLUICE_API_CONNECT_DEFINITIONS_H

#include "engine/config/plugins.h"
#include "sluice/option.h"

#include <jansson.h>

/* How an option is shown to people; what a table of options does not say. */
struct sl_shown {
    const char *group; /* NULL: none */
    int order;         /* in the group; -1: none */
    const char *width; /* NONE SHORT MEDIUM LONG */
    const char *label; /* NULL: its name */
};

/* A framework key as Connect 3.9 shows it. type and default_text stand where our table has no such key. */
struct sl_framework_key {
    const char *name;
    enum sl_option_type type;
    enum sl_importance importance;
    const char *default_text; /* NULL: none; "": Connect's empty text */
    bool required;
    struct sl_shown shown;
};

/* framework.c: in Connect's order, ended by a NULL name. */
extern const struct sl_framework_key sl_framework_keys[];        /* both kinds */
extern const struct sl_framework_key sl_framework_source_keys[]; /* sources besides */
extern const struct sl_framework_key sl_framework_sink_keys[];   /* sinks besides */

/* One definition; key is the whole key, prefix included. */
json_t *sl_definition(const struct sl_option *option, const char *key, const struct sl_shown *shown);

/* The definitions of a connector's class and of the framework, the framework's first or last. */
json_t *sl_definitions_of_class(const struct sl_option *options);
json_t *sl_definitions_of_framework(bool is_source);

/* Those of a table whose keys are prefixed; group names them, labels are the names alone. In Connect's order:
 * required ones first, then by importance, then by name. order counts from first_order; -1: no order. */
json_t *sl_definitions_of_part(const struct sl_option *options, const char *prefix, const char *group,
                               int first_order);

#endif
