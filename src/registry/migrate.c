/* SPDX-License-Identifier: Apache-2.0 */
/* One store's whole content into another: when a worker moves from its state directory to Kafka. */
#include "base/alloc.h"
#include "registry/registries.h"

#include <string.h>

struct copying {
    const struct sl_catalog *from;
    const struct sl_catalog *to;
    struct sl_schema_change *changes;
    size_t n, capacity, versions;
};

static void add(struct copying *c, struct sl_schema_change change)
{
    SL_GROW(c->changes, c->n, c->capacity);
    c->changes[c->n++] = change;
}

static enum sl_rc copy_version(struct copying *c, const char *subject,
                               const struct sl_schema_version *version, struct sl_error *err)
{
    const struct sl_schema_entry *id = sl_catalog_by_id(c->to, version->entry->id);
    const struct sl_schema_version *there =
        sl_subject_version(sl_catalog_subject(c->to, subject), version->version);

    if ((id && memcmp(id->digest, version->entry->digest, sizeof(id->digest)) != 0) ||
        (there && there->entry->id != version->entry->id))
        return sl_error_set(err, SL_E_CONFIG,
                            "schema id %d, version %d of subject '%s', means something else in the registry "
                            "there. HINT: migrate to a registry that is empty",
                            version->entry->id, version->version, subject);
    if (there)
        return SL_OK;
    add(c, (struct sl_schema_change){.kind = SL_CHANGE_VERSION,
                                     .subject = subject,
                                     .version = version->version,
                                     .id = version->entry->id,
                                     .schema = version->entry->schema,
                                     .deleted = version->deleted});
    c->versions++;
    return SL_OK;
}

static void copy_settings(struct copying *c, const char *name, const struct sl_schema_subject *subject)
{
    const char *const values[] = {[SL_SETTING_CONFIG] = subject->config, [SL_SETTING_MODE] = subject->mode};

    for (int i = 0; i < 2; i++) {
        if (values[i])
            add(c, (struct sl_schema_change){.kind = SL_CHANGE_SETTING,
                                             .subject = name,
                                             .setting = (enum sl_schema_setting)i,
                                             .value = values[i]});
    }
}

static enum sl_rc copy_all(struct copying *c, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    copy_settings(c, "", &c->from->settings);
    for (size_t i = 0; i < c->from->n_subjects && rc == SL_OK; i++) {
        const struct sl_schema_subject *subject = c->from->subjects[i];

        copy_settings(c, subject->name, subject);
        for (size_t v = 0; v < subject->n_versions && rc == SL_OK; v++)
            rc = copy_version(c, subject->name, &subject->versions[v], err);
    }
    return rc;
}

static enum sl_rc copy_store(struct sl_schema_store *from, struct sl_schema_store *to, size_t *ret_n,
                             struct sl_error *err)
{
    struct sl_catalog source = {0};
    struct sl_catalog target = {0};
    struct copying c = {.from = &source, .to = &target};
    bool stale;
    enum sl_rc rc = from->ops->load(from, &source, err);

    if (!rc && to->ops->prepare)
        rc = to->ops->prepare(to, &stale, err);
    if (!rc)
        rc = to->ops->load(to, &target, err);
    if (!rc)
        rc = copy_all(&c, err);
    if (!rc && c.n)
        rc = to->ops->save(to, c.changes, c.n, err);
    if (!rc)
        *ret_n = c.versions;
    sl_free(c.changes);
    sl_catalog_done(&source);
    sl_catalog_done(&target);
    return rc;
}

enum sl_rc sl_registries_migrate(const char *state_dir, struct sl_transport *transport, size_t *ret_n,
                                 struct sl_error *err)
{
    struct sl_schema_store *from;
    struct sl_schema_store *to;
    enum sl_rc rc = sl_schema_store_sqlite_open(state_dir, true, &from, err);

    if (rc)
        return rc;
    rc = sl_schema_store_topic_open(transport, &to, err);
    if (rc == SL_OK) {
        rc = copy_store(from, to, ret_n, err);
        to->ops->close(to);
    }
    from->ops->close(from);
    return rc;
}
