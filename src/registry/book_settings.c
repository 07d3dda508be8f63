/* SPDX-License-Identifier: Apache-2.0 */
/* Compatibility levels and modes, of single subjects and global. */
#include "registry/book_inside.h"

#include <string.h>
#include <strings.h>

static const char *const levels[] = {
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"};
static const char *const modes[] = {"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"};

static const char *find_word(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; text && i < n; i++) {
        if (strcasecmp(words[i], text) == 0)
            return words[i];
    }
    return NULL;
}

static const char *find_level(const char *text)
{
    return find_word(text, levels, sizeof(levels) / sizeof(*levels));
}

static const char *find_mode(const char *text)
{
    return find_word(text, modes, sizeof(modes) / sizeof(*modes));
}

static json_t *read_config(const struct sl_schema_book *book, const char *subject_name)
{
    const struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, subject_name);

    return subject && subject->config ? json_loads(subject->config, 0, NULL) : NULL;
}

/* The value of a member in the subject's configuration, else in the global one; a new reference, or NULL. */
static json_t *config_member(const struct sl_schema_book *book, const char *subject, const char *member)
{
    const char *const both[] = {subject, ""};
    json_t *value = NULL;

    for (size_t i = 0; i < 2 && !value; i++) {
        json_t *config = read_config(book, both[i]);

        value = json_incref(json_object_get(config, member));
        json_decref(config);
    }
    return value;
}

const char *sl_book_level(const struct sl_schema_book *book, const char *subject)
{
    json_t *value = config_member(book, subject, "compatibilityLevel");
    const char *level = find_level(json_string_value(value));

    json_decref(value);
    return level ? level : "BACKWARD";
}

bool sl_book_normalizes(const struct sl_schema_book *book, const char *subject)
{
    json_t *value = config_member(book, subject, "normalize");
    bool normal = json_is_true(value);

    json_decref(value);
    return normal;
}

const char *sl_book_mode_of(const struct sl_schema_book *book, const char *subject_name)
{
    const struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, subject_name);
    const char *global = find_mode(book->catalog.settings.mode);
    const char *own = subject ? find_mode(subject->mode) : NULL;

    if (global && strcmp(global, "READONLY_OVERRIDE") == 0)
        return global;
    return own ? own : global ? global : "READWRITE";
}

bool sl_book_writable(const struct sl_schema_book *book, const char *subject, struct sl_refusal *refusal)
{
    const char *mode = sl_book_mode_of(book, subject);

    if (strncmp(mode, "READONLY", 8) == 0 || strcmp(mode, "FORWARD") == 0)
        return sl_refuse(refusal, 422, 42205, "Subject %s is in read-only mode", subject) != NULL;
    return true;
}

/* ---- compatibility ---- */

json_t *sl_book_config(struct sl_schema_book *book, const char *subject, bool or_global,
                       struct sl_refusal *refusal)
{
    json_t *config;

    if (!sl_book_enter(book, refusal))
        return NULL;
    config = read_config(book, subject);
    if (!config && *subject && !or_global) {
        (void)sl_refuse(refusal, 404, 40408,
                        "Subject '%s' does not have subject-level compatibility configured", subject);
    } else {
        if (!config)
            config = read_config(book, "");
        if (!config)
            config = json_object();
        if (!json_object_get(config, "compatibilityLevel"))
            (void)json_object_set_new(config, "compatibilityLevel", json_string(sl_book_level(book, "")));
    }
    sl_book_leave(book);
    return config;
}

struct setting {
    const char *subject;
    json_t *config;
    const char *mode;
    bool force;
};

static json_t *set_config(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal)
{
    const struct setting *s = arg;
    char *text = json_dumps(s->config, JSON_COMPACT);
    struct sl_schema_change change = {
        .kind = SL_CHANGE_SETTING, .subject = s->subject, .setting = SL_SETTING_CONFIG, .value = text};
    bool good = sl_book_commit(book, &change, 1, refusal);

    sl_free(text);
    return good ? json_true() : NULL;
}

/* PUT says "compatibility", what is kept and told says "compatibilityLevel". */
json_t *sl_book_set_config(struct sl_schema_book *book, const char *subject, json_t *config,
                           struct sl_refusal *refusal)
{
    json_t *given = json_object_get(config, "compatibility");
    const char *level = find_level(json_string_value(given));
    json_t *kept;
    json_t *done;

    if (given && !json_is_null(given) && !level)
        return sl_refuse(refusal, 422, 42203,
                         "Invalid compatibility level. Valid values are none, backward, forward, full, "
                         "backward_transitive, forward_transitive, and full_transitive");
    kept = json_copy(config);
    (void)json_object_del(kept, "compatibility");
    (void)json_object_del(kept, "compatibilityLevel");
    if (level)
        (void)json_object_set_new(kept, "compatibilityLevel", json_string(level));
    done = sl_book_write(book, set_config, &(struct setting){.subject = subject, .config = kept}, refusal);
    json_decref(kept);
    if (!done)
        return NULL;
    json_decref(done);
    kept = json_copy(config);
    if (level)
        (void)json_object_set_new(kept, "compatibility", json_string(level));
    return kept;
}

static json_t *drop_setting(struct sl_schema_book *book, const char *subject, enum sl_schema_setting which,
                            struct sl_refusal *refusal)
{
    struct sl_schema_change change = {.kind = SL_CHANGE_SETTING, .subject = subject, .setting = which};

    return sl_book_commit(book, &change, 1, refusal) ? json_true() : NULL;
}

static json_t *drop_config(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal)
{
    const struct setting *s = arg;
    json_t *old = read_config(book, s->subject);

    if (!old && *s->subject)
        return sl_refuse_subject(refusal, s->subject);
    if (!old)
        old = json_object();
    if (!json_object_get(old, "compatibilityLevel"))
        (void)json_object_set_new(old, "compatibilityLevel", json_string(sl_book_level(book, s->subject)));
    if (drop_setting(book, s->subject, SL_SETTING_CONFIG, refusal))
        return old;
    json_decref(old);
    return NULL;
}

json_t *sl_book_drop_config(struct sl_schema_book *book, const char *subject, struct sl_refusal *refusal)
{
    return sl_book_write(book, drop_config, &(struct setting){.subject = subject}, refusal);
}

/* ---- modes ---- */

json_t *sl_book_mode(struct sl_schema_book *book, const char *subject_name, bool or_global,
                     struct sl_refusal *refusal)
{
    const struct sl_schema_subject *subject;
    json_t *answer = NULL;

    if (!sl_book_enter(book, refusal))
        return NULL;
    subject = sl_catalog_subject(&book->catalog, subject_name);
    if (*subject_name && !or_global && !(subject && subject->mode))
        (void)sl_refuse(refusal, 404, 40409, "Subject '%s' does not have subject-level mode configured",
                        subject_name);
    else
        answer = json_pack("{s:s}", "mode", sl_book_mode_of(book, subject_name));
    sl_book_leave(book);
    return answer;
}

/* IMPORT lets clients say ids: only where nothing is yet. */
static bool is_empty(const struct sl_schema_book *book, const char *subject)
{
    if (*subject)
        return !sl_subject_latest(sl_catalog_subject(&book->catalog, subject));
    for (size_t i = 0; i < book->catalog.n_subjects; i++) {
        if (sl_subject_latest(book->catalog.subjects[i]))
            return false;
    }
    return true;
}

static json_t *set_mode(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal)
{
    const struct setting *s = arg;
    struct sl_schema_change change = {
        .kind = SL_CHANGE_SETTING, .subject = s->subject, .setting = SL_SETTING_MODE, .value = s->mode};

    if (strcmp(s->mode, "IMPORT") == 0 && !s->force &&
        strcmp(sl_book_mode_of(book, s->subject), "IMPORT") != 0 && !is_empty(book, s->subject))
        return sl_refuse(refusal, 422, 42205, "Cannot import since found existing subjects");
    return sl_book_commit(book, &change, 1, refusal) ? json_pack("{s:s}", "mode", s->mode) : NULL;
}

json_t *sl_book_set_mode(struct sl_schema_book *book, const char *subject, const char *mode, bool force,
                         struct sl_refusal *refusal)
{
    const char *found = find_mode(mode);

    if (!found || (*subject && strcmp(found, "FORWARD") == 0))
        return sl_refuse(refusal, 422, 42204,
                         "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT, and "
                         "(globally) FORWARD");
    return sl_book_write(book, set_mode, &(struct setting){.subject = subject, .mode = found, .force = force},
                         refusal);
}

static json_t *drop_mode(struct sl_schema_book *book, const void *arg, struct sl_refusal *refusal)
{
    const struct setting *s = arg;
    const struct sl_schema_subject *subject = sl_catalog_subject(&book->catalog, s->subject);
    json_t *old;

    if (*s->subject && !(subject && subject->mode))
        return sl_refuse_subject(refusal, s->subject);
    old = json_pack("{s:s}", "mode", sl_book_mode_of(book, s->subject));
    if (drop_setting(book, s->subject, SL_SETTING_MODE, refusal))
        return old;
    json_decref(old);
    return NULL;
}

json_t *sl_book_drop_mode(struct sl_schema_book *book, const char *subject, struct sl_refusal *refusal)
{
    return sl_book_write(book, drop_mode, &(struct setting){.subject = subject}, refusal);
}
