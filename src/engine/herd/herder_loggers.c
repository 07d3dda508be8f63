/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels of loggers, as Connect's admin API shows them. This program has one level for all of its lines: it
 * is that of "root", and of "sluice", which is the same.
 */
#include "engine/herd/herd.h"

#include "base/clock.h"
#include "base/log.h"

#include <strings.h>

static const char *const loggers[] = {"root", "sluice"};
static const char *const levels[] = {"ERROR", "WARN", "INFO", "DEBUG"};

static _Atomic int64_t last_modified_ms; /* 0: as started */

static json_t *shown(void)
{
    int64_t modified_ms = atomic_load(&last_modified_ms);

    return json_pack("{s:s, s:o}", "level", levels[sl_log_level], "last_modified",
                     modified_ms ? json_integer(modified_ms) : json_null());
}

static bool is_logger(const char *name)
{
    return strcmp(name, loggers[0]) == 0 || strcmp(name, loggers[1]) == 0;
}

/* Log4j's words too: what is finer or coarser than ours becomes the nearest. */
static bool parse_level(const char *text, enum sl_level *ret)
{
    static const char *const words[] = {"OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"};
    static const enum sl_level meant[] = {SL_LEVEL_ERROR, SL_LEVEL_ERROR, SL_LEVEL_ERROR, SL_LEVEL_WARN,
                                          SL_LEVEL_INFO,  SL_LEVEL_DEBUG, SL_LEVEL_DEBUG, SL_LEVEL_DEBUG};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *ret = meant[i];
            return true;
        }
    }
    return false;
}

static void set_level(enum sl_level level)
{
    sl_log_level = level;
    atomic_store(&last_modified_ms, sl_wall_us() / 1000);
}

void sl_herder_obey_logger(void *ctx, const char *logger, const char *text)
{
    enum sl_level level;

    (void)ctx;
    if (is_logger(logger) && parse_level(text, &level))
        set_level(level);
}

void sl_herder_loggers(struct sl_herder *herder, struct sl_answer *ret)
{
    json_t *all = json_object();

    (void)herder;
    for (size_t i = 0; i < sizeof(loggers) / sizeof(*loggers); i++)
        (void)json_object_set_new(all, loggers[i], shown());
    sl_answer_body(ret, SL_ANSWER_OK, all);
}

void sl_herder_logger(struct sl_herder *herder, const char *logger, struct sl_answer *ret)
{
    (void)herder;
    if (is_logger(logger))
        sl_answer_body(ret, SL_ANSWER_OK, shown());
    else
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Logger %s not found.", logger);
}

static void serve_logger(struct sl_herder *herder, struct sl_request *request)
{
    struct sl_error err = {0};

    if (!sl_herd_may_write(herder, &request->answer))
        return;
    if (sl_config_store_put_logger(herder->configs, request->name, levels[request->number], &err))
        sl_answer_error(&request->answer, &err);
    else
        sl_answer_body(&request->answer, SL_ANSWER_NO_CONTENT, NULL);
}

void sl_herder_set_logger(struct sl_herder *herder, const char *logger, const char *text, bool in_cluster,
                          struct sl_answer *ret)
{
    struct sl_request *request;
    enum sl_level level;

    if (!parse_level(text, &level)) {
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "invalid log level '%s'.", text);
    } else if (!is_logger(logger)) {
        sl_answer_refuse(ret, SL_ANSWER_NOT_FOUND, "Logger %s not found.", logger);
    } else if (!in_cluster) {
        set_level(level);
        sl_answer_body(ret, SL_ANSWER_OK, json_pack("[s, s]", loggers[0], loggers[1]));
    } else {
        request = sl_request_new(serve_logger, logger);
        request->number = (int)level;
        sl_herder_call(herder, request, ret);
    }
}
