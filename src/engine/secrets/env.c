/* SPDX-License-Identifier: Apache-2.0 */
/* "${env:DB_PASSWORD}": a variable of this process's environment. */
#include "engine/secrets/inside.h"

#include "base/props.h"
#include "base/regex.h"

#include <stdlib.h>

struct env {
    struct sl_regex *allowed; /* NULL: every name */
};

static const struct sl_option options[] = {
    {.name = "allowlist.pattern",
     .importance = SL_IMPORTANCE_MEDIUM,
     .doc = "a Java regular expression for the names that may be read; all when not given"},
    {.name = NULL},
};

static enum sl_rc open_env(const struct sl_props *params, void **ret_self, struct sl_error *err)
{
    const char *pattern = sl_option_text(options, params, NULL, "allowlist.pattern");
    struct env *env = sl_zalloc(1, sizeof(*env));
    enum sl_rc rc = pattern && *pattern ? sl_regex_compile(pattern, 0, &env->allowed, err) : SL_OK;

    if (rc) {
        sl_free(env);
        return sl_error_wrap(err, "allowlist.pattern");
    }
    *ret_self = env;
    return SL_OK;
}

static enum sl_rc get_variables(void *self, const char *path, struct sl_secret_wanted *wanted, size_t n,
                                int64_t *ret_ttl_ms, struct sl_error *err)
{
    const struct env *env = self;

    if (*path)
        return sl_error_set(err, SL_E_CONFIG,
                            "a reference to the environment has no path, and '%s' was given. HINT: "
                            "${provider:NAME}",
                            path);
    for (size_t i = 0; i < n; i++) {
        const char *name = wanted[i].key;
        const char *value = getenv(name);

        if (value && (!env->allowed || sl_regex_matches(env->allowed, name, strlen(name))))
            wanted[i].value = sl_secret_new(value, strlen(value));
    }
    *ret_ttl_ms = -1;
    return SL_OK;
}

static void close_env(void *self)
{
    struct env *env = self;

    sl_regex_free(env->allowed);
    sl_free(env);
}

static const char *const classes[] = {"org.apache.kafka.common.config.provider.EnvVarConfigProvider", NULL};

const struct sl_provider_ops sl_provider_env = {
    .name = "env",
    .classes = classes,
    .options = options,
    .open = open_env,
    .get = get_variables,
    .close = close_env,
};
