/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Handlers get the API as their ctx. */
#ifndef SLUICE_API_CONNECT_INSIDE_H
#define SLUICE_API_CONNECT_INSIDE_H

#include "api/connect/api.h"
#include "api/listeners.h"
#include "api/users.h"
#include "engine/config/plugins.h"
#include "net/http/server.h"

#include <stdatomic.h>

struct sl_leader_call; /* leader_call.h */

struct sl_connect_api {
    const struct sl_props *worker;
    const struct sl_plugins *plugins;
    struct sl_herder *herder; /* set before ready is; never taken away */
    _Atomic bool ready;
    struct sl_api_listeners listeners;
    struct sl_http_server *server;
    struct sl_http_server *admin; /* where admin.listeners names ports of its own */
    struct sl_users *users;       /* NULL: no login is asked for */
    struct sl_leader_call *leader;
    char url[600];
    char *origins;         /* access.control.allow.origin */
    char *methods;         /* access.control.allow.methods, or what is allowed without it */
    struct sl_buf headers; /* response.http.headers.config: "Name\0value\0" each */
};

#define SL_CONNECT_HANDLER(name_) \
    void name_(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer)

/* connectors.c */
SL_CONNECT_HANDLER(sl_connect_list);
SL_CONNECT_HANDLER(sl_connect_create);
SL_CONNECT_HANDLER(sl_connect_info);
SL_CONNECT_HANDLER(sl_connect_config);
SL_CONNECT_HANDLER(sl_connect_put_config);
SL_CONNECT_HANDLER(sl_connect_patch_config);
SL_CONNECT_HANDLER(sl_connect_delete);
SL_CONNECT_HANDLER(sl_connect_status);
SL_CONNECT_HANDLER(sl_connect_pause);
SL_CONNECT_HANDLER(sl_connect_resume);
SL_CONNECT_HANDLER(sl_connect_stop);
SL_CONNECT_HANDLER(sl_connect_restart);
SL_CONNECT_HANDLER(sl_connect_tasks);
SL_CONNECT_HANDLER(sl_connect_tasks_config);
SL_CONNECT_HANDLER(sl_connect_task_status);
SL_CONNECT_HANDLER(sl_connect_task_restart);
SL_CONNECT_HANDLER(sl_connect_topics);
SL_CONNECT_HANDLER(sl_connect_reset_topics);
SL_CONNECT_HANDLER(sl_connect_internal);

/* offsets.c */
SL_CONNECT_HANDLER(sl_connect_offsets);
SL_CONNECT_HANDLER(sl_connect_alter_offsets);
SL_CONNECT_HANDLER(sl_connect_reset_offsets);

/* letters.c */
SL_CONNECT_HANDLER(sl_connect_letters);
SL_CONNECT_HANDLER(sl_connect_replay_letters);
SL_CONNECT_HANDLER(sl_connect_drop_letters);

/* plugin_list.c, validate.c */
SL_CONNECT_HANDLER(sl_connect_plugins);
SL_CONNECT_HANDLER(sl_connect_plugin_config);
SL_CONNECT_HANDLER(sl_connect_validate);

/* loggers.c */
SL_CONNECT_HANDLER(sl_connect_breakers);
SL_CONNECT_HANDLER(sl_connect_loggers);
SL_CONNECT_HANDLER(sl_connect_logger);
SL_CONNECT_HANDLER(sl_connect_set_logger);

/* reply.c: what the herder said becomes the answer; ELSEWHERE is forwarded to the leader. Frees said. */
void sl_connect_reply(struct sl_connect_api *api, const struct sl_http_request *request,
                      struct sl_answer *said, struct sl_http_answer *answer);
/* Location of a connector, as seen by who asked. */
void sl_connect_put_location(const struct sl_http_request *request, const char *name,
                             struct sl_http_answer *answer);

/* forward.c */
void sl_connect_forward(struct sl_connect_api *api, const struct sl_http_request *request, const char *url,
                        struct sl_http_answer *answer);

/* body.c: false: there is no such body, and the request was answered. */
bool sl_connect_body_object(const struct sl_http_request *request, json_t **ret,
                            struct sl_http_answer *answer);
/* Every value becomes text; null stays where keep_null says so and is left out otherwise. config is taken
 * over. */
bool sl_connect_config_texts(json_t *config, bool keep_null, json_t **ret, struct sl_http_answer *answer);

/* gate.c: hooks of the HTTP server */
bool sl_connect_before(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer);
void sl_connect_after(void *ctx, const struct sl_http_request *request, struct sl_http_answer *answer);
/* Read the worker's access.control.*, response.http.headers.config, rest.extension.classes, users file. */
enum sl_rc sl_connect_gate_open(struct sl_connect_api *api, struct sl_error *err);
void sl_connect_gate_close(struct sl_connect_api *api);

#endif
