/* SPDX-License-Identifier: Apache-2.0 */
/* The options of ExtractNewRecordState, which Scylla's variant of it takes too. */
#ifndef SLUICE_TRANSFORM_EXTRACT_OPTIONS_H
#define SLUICE_TRANSFORM_EXTRACT_OPTIONS_H

#include "sluice/option.h"

static const char *const sl_extract_modes[] = {
    "drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone", NULL};
static const char *const sl_extract_old_modes[] = {"drop", "rewrite", "none", NULL};

#define SL_EXTRACT_OPTIONS                                                                                 \
    {.name = "delete.tombstone.handling.mode",                                                             \
     .type = SL_OPT_STRING,                                                                                \
     .default_text = "tombstone",                                                                          \
     .importance = SL_IMPORTANCE_MEDIUM,                                                                   \
     .doc = "What becomes of deletes and their tombstones.",                                               \
     .values = sl_extract_modes},                                                                          \
        {.name = "delete.handling.mode",                                                                   \
         .type = SL_OPT_STRING,                                                                            \
         .default_text = "drop",                                                                           \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "The older spelling: what becomes of deletes, when delete.tombstone.handling.mode is not " \
                "given.",                                                                                  \
         .values = sl_extract_old_modes},                                                                  \
        {.name = "drop.tombstones",                                                                        \
         .type = SL_OPT_BOOLEAN,                                                                           \
         .default_text = "true",                                                                           \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "The older spelling: whether tombstones are dropped, when delete.tombstone.handling.mode " \
                "is not "                                                                                  \
                "given."},                                                                                 \
        {.name = "route.by.field",                                                                         \
         .type = SL_OPT_STRING,                                                                            \
         .default_text = "",                                                                               \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "A string column whose value becomes the topic."},                                         \
        {.name = "add.fields",                                                                             \
         .type = SL_OPT_LIST,                                                                              \
         .default_text = "",                                                                               \
         .importance = SL_IMPORTANCE_MEDIUM,                                                               \
         .doc = "Fields of the envelope to add to the row: field, struct.field, each with :newname if "    \
                "wanted."},                                                                                \
        {.name = "add.fields.prefix",                                                                      \
         .type = SL_OPT_STRING,                                                                            \
         .default_text = "__",                                                                             \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "What stands before the names of added fields."},                                          \
        {.name = "add.headers",                                                                            \
         .type = SL_OPT_LIST,                                                                              \
         .default_text = "",                                                                               \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "Fields of the envelope to add as headers."},                                              \
        {.name = "add.headers.prefix",                                                                     \
         .type = SL_OPT_STRING,                                                                            \
         .default_text = "__",                                                                             \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "What stands before the names of added headers."},                                         \
        {.name = "drop.fields.header.name",                                                                \
         .type = SL_OPT_STRING,                                                                            \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "A header that holds a list of fields to leave out."},                                     \
        {.name = "drop.fields.from.key",                                                                   \
         .type = SL_OPT_BOOLEAN,                                                                           \
         .default_text = "false",                                                                          \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "Whether these fields are left out of the key too."},                                      \
        {.name = "drop.fields.keep.schema.compatible",                                                     \
         .type = SL_OPT_BOOLEAN,                                                                           \
         .default_text = "true",                                                                           \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "Whether only optional fields are left out."},                                             \
        {.name = "replace.null.with.default",                                                              \
         .type = SL_OPT_BOOLEAN,                                                                           \
         .default_text = "true",                                                                           \
         .importance = SL_IMPORTANCE_LOW,                                                                  \
         .doc = "Whether a null in a field with a default is read as the default where the row is copied."}

#endif
