/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config providers of a worker's file by themselves: each line of the input is a setting's text, each
 * line of the output what became of it: "ok TTL_MS VALUE" or "error KIND TEXT". Values are shown: this is a
 * test's tool.
 */
#include "base/alloc.h"
#include "base/props.h"
#include "engine/config/worker_config.h"

#include <stdio.h>
#include <string.h>

static const struct sl_provider_ops *const providers[] = {&sl_provider_file, &sl_provider_directory,
                                                          &sl_provider_env, &sl_provider_vault, NULL};

static void show(struct sl_secrets *secrets, const char *text)
{
    struct sl_props *raw = sl_props_new();
    struct sl_props *resolved = NULL;
    struct sl_error err = {0};
    int64_t ttl_ms = 0;

    sl_props_set(raw, "text", text);
    if (sl_secrets_resolve(secrets, raw, NULL, &resolved, &ttl_ms, &err))
        (void)printf("error %s %s\n", sl_kind_name(err.kind), err.text);
    else
        (void)printf("ok %lld %s\n", (long long)ttl_ms, sl_props_get(resolved, "text"));
    (void)fflush(stdout);
    sl_props_free(resolved);
    sl_props_free(raw);
}

int main(int argc, char **argv)
{
    struct sl_complaints complaints = {0};
    struct sl_secrets *secrets = NULL;
    struct sl_props *worker = NULL;
    struct sl_error err = {0};
    char line[2000];

    if (argc != 2 || sl_worker_config_read(argv[1], &worker, &err))
        return 2;
    sl_secrets_check(providers, worker, &complaints);
    for (size_t i = 0; i < complaints.n; i++)
        (void)printf("complaint %s %s\n", complaints.items[i].key, complaints.items[i].text);
    if (complaints.n == 0 && sl_secrets_open(providers, worker, &secrets, &err))
        (void)printf("error %s %s\n", sl_kind_name(err.kind), err.text);
    (void)fflush(stdout);
    while (secrets && fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        show(secrets, line);
    }
    sl_secrets_close(secrets);
    sl_complaints_done(&complaints);
    sl_props_free(worker);
    return 0;
}
