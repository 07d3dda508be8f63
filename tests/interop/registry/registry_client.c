/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_client KEY=VALUE ... < COMMANDS: our client of a served registry, driven by lines of words between
 * tabs; a line of answer for each:
 *     register SUBJECT TEXT | normalize SUBJECT TEXT | look_up SUBJECT TEXT    "id N"
 *     id N                                                                     "text" and the text
 *     latest SUBJECT                                                           "version N id N" and the text
 * or "error CODE text". The keys are a converter's, without its prefix.
 */
#include "base/alloc.h"
#include "base/props.h"
#include "registry/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum sl_rc answer(struct sl_registry *registry, char *const *words, struct sl_error *err)
{
    struct sl_registry_found found = {0};
    const char *command = words[0];
    enum sl_rc rc;
    int32_t id = 0;

    if (strcmp(command, "id") == 0) {
        rc = registry->ops->schema_by_id(registry, (int32_t)strtol(words[1], NULL, 10), NULL, &found, err);
        if (!rc)
            (void)printf("text %s\n", found.text);
    } else if (strcmp(command, "latest") == 0) {
        rc = registry->ops->version(registry, words[1], SL_REGISTRY_LATEST, &found, err);
        if (!rc)
            (void)printf("version %d id %d %s\n", found.version, found.id, found.text);
    } else {
        rc = strcmp(command, "look_up") == 0
                 ? registry->ops->look_up(registry, words[1], words[2], false, &id, err)
                 : registry->ops->register_schema(registry, words[1], words[2],
                                                  strcmp(command, "normalize") == 0, &id, err);
        if (!rc)
            (void)printf("id %d\n", id);
    }
    for (size_t i = 0; i < found.n_before; i++)
        (void)printf("before %s\n", found.before[i]);
    sl_registry_found_done(&found);
    return rc;
}

static struct sl_registry *open_client(int argc, char **argv)
{
    struct sl_registry_http_config config;
    struct sl_props *props = sl_props_new();
    struct sl_registry *registry = NULL;
    struct sl_error err = {0};

    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (!equals)
            continue;
        *equals = '\0';
        sl_props_set(props, argv[i], equals + 1);
    }
    if (sl_registry_http_config_read(props, "", &config, &err))
        (void)printf("error %s %s\n", sl_rc_name(err.rc), err.text);
    else
        registry = sl_registry_http_new(&config);
    sl_props_free(props);
    return registry;
}

int main(int argc, char **argv)
{
    struct sl_registry *registry = open_client(argc, argv);
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while (registry && (len = getline(&line, &size, stdin)) > 1) {
        struct sl_error err = {0};
        char *words[3] = {line, line, line};
        size_t n = 1;

        line[len - 1] = '\0';
        for (char *tab = strchr(line, '\t'); tab && n < 3; tab = strchr(tab + 1, '\t')) {
            *tab = '\0';
            words[n++] = tab + 1;
        }
        if (answer(registry, words, &err))
            (void)printf("error %s %s\n", sl_rc_name(err.rc), err.text);
        (void)fflush(stdout);
    }
    free(line);
    if (registry)
        registry->ops->close(registry);
    return 0;
}
