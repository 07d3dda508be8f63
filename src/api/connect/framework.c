/* SPDX-License-Identifier: Apache-2.0 */
/* Names, orders and labels are those that a worker of Connect 3.9.2 answers (asked, not copied). */
#include "api/connect/definitions.h"

#define COMMON "Common"
#define ERRORS "Error Handling"
#define ONCE "Exactly Once Support"
#define HIGH SL_IMPORTANCE_HIGH
#define MEDIUM SL_IMPORTANCE_MEDIUM
#define LOW SL_IMPORTANCE_LOW

const struct sl_framework_key sl_framework_keys[] = {
    {"name", SL_OPT_STRING, HIGH, NULL, true, {COMMON, 1, "MEDIUM", "Connector name"}},
    {"connector.class", SL_OPT_STRING, HIGH, NULL, true, {COMMON, 2, "LONG", "Connector class"}},
    {"tasks.max", SL_OPT_INT, HIGH, "1", false, {COMMON, 3, "SHORT", "Tasks max"}},
    {"tasks.max.enforce", SL_OPT_BOOLEAN, LOW, "true", false, {COMMON, 4, "SHORT", "Enforce tasks max"}},
    {"key.converter", SL_OPT_CLASS, LOW, NULL, false, {COMMON, 5, "SHORT", "Key converter class"}},
    {"value.converter", SL_OPT_CLASS, LOW, NULL, false, {COMMON, 6, "SHORT", "Value converter class"}},
    {"header.converter", SL_OPT_CLASS, LOW, NULL, false, {COMMON, 7, "SHORT", "Header converter class"}},
    {"transforms", SL_OPT_LIST, LOW, "", false, {"Transforms", 8, "LONG", "Transforms"}},
    {"predicates", SL_OPT_LIST, LOW, "", false, {"Predicates", 9, "LONG", "Predicates"}},
    {"config.action.reload", SL_OPT_STRING, LOW, "restart", false, {COMMON, 10, "MEDIUM", "Reload Action"}},
    {"errors.retry.timeout",
     SL_OPT_LONG,
     MEDIUM,
     "0",
     false,
     {ERRORS, 1, "MEDIUM", "Retry Timeout for Errors"}},
    {"errors.retry.delay.max.ms",
     SL_OPT_LONG,
     MEDIUM,
     "60000",
     false,
     {ERRORS, 2, "MEDIUM", "Maximum Delay Between Retries for Errors"}},
    {"errors.tolerance", SL_OPT_STRING, MEDIUM, "none", false, {ERRORS, 3, "SHORT", "Error Tolerance"}},
    {"errors.log.enable", SL_OPT_BOOLEAN, MEDIUM, "false", false, {ERRORS, 4, "SHORT", "Log Errors"}},
    {"errors.log.include.messages",
     SL_OPT_BOOLEAN,
     MEDIUM,
     "false",
     false,
     {ERRORS, 5, "SHORT", "Log Error Details"}},
    {NULL},
};

const struct sl_framework_key sl_framework_source_keys[] = {
    {"topic.creation.groups",
     SL_OPT_LIST,
     LOW,
     "",
     false,
     {"Topic Creation", 1, "LONG", "Topic Creation Groups"}},
    {"exactly.once.support",
     SL_OPT_STRING,
     MEDIUM,
     "requested",
     false,
     {ONCE, 2, "SHORT", "Exactly once support"}},
    {"transaction.boundary",
     SL_OPT_STRING,
     MEDIUM,
     "poll",
     false,
     {ONCE, 3, "SHORT", "Transaction Boundary"}},
    {"transaction.boundary.interval.ms",
     SL_OPT_LONG,
     LOW,
     NULL,
     false,
     {ONCE, 4, "SHORT", "Transaction boundary interval"}},
    {"offsets.storage.topic", SL_OPT_STRING, LOW, NULL, false, {"offsets.topic", 1, "LONG", "Offsets topic"}},
    {NULL},
};

const struct sl_framework_key sl_framework_sink_keys[] = {
    {"topics", SL_OPT_LIST, HIGH, "", false, {COMMON, 4, "LONG", "Topics"}},
    {"topics.regex", SL_OPT_STRING, HIGH, "", false, {COMMON, 4, "LONG", "Topics regex"}},
    {"errors.deadletterqueue.topic.name",
     SL_OPT_STRING,
     MEDIUM,
     "",
     false,
     {ERRORS, 6, "MEDIUM", "Dead Letter Queue Topic Name"}},
    {"errors.deadletterqueue.topic.replication.factor",
     SL_OPT_INT,
     MEDIUM,
     "3",
     false,
     {ERRORS, 7, "MEDIUM", "Dead Letter Queue Topic Replication Factor"}},
    {"errors.deadletterqueue.context.headers.enable",
     SL_OPT_BOOLEAN,
     MEDIUM,
     "false",
     false,
     {ERRORS, 8, "MEDIUM", "Enable Error Context Headers"}},
    {NULL},
};
