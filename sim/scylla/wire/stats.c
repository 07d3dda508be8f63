/* SPDX-License-Identifier: Apache-2.0 */
#include "stats.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct sy_stats_text {
    uint8_t id[16];
    size_t kind;
    char cql[];
};

void sy_stats_init(struct sy_stats *stats)
{
    memset(stats, 0, sizeof(*stats));
    pthread_mutex_init(&stats->lock, NULL);
}

void sy_stats_done(struct sy_stats *stats)
{
    for (size_t i = 0; i < stats->texts_cap; i++)
        free(stats->texts[i]);
    free(stats->texts);
    free(stats->shards);
    pthread_mutex_destroy(&stats->lock);
}

void sy_stats_count_shards(struct sy_stats *stats, uint32_t n_nodes, uint32_t n_shards)
{
    stats->shards = sy_wire_alloc((size_t)n_nodes * n_shards, sizeof(*stats->shards));
    stats->n_nodes = n_nodes;
    stats->n_shards = n_shards;
}

void sy_stats_reset(struct sy_stats *stats)
{
    for (size_t i = 0; i < (size_t)stats->n_nodes * stats->n_shards; i++)
        atomic_store(&stats->shards[i], 0);
    for (size_t i = 0; i < SY_OPCODES; i++)
        atomic_store(&stats->opcodes[i], 0);
    atomic_store(&stats->errors, 0);
    atomic_store(&stats->bytes_received, 0);
    atomic_store(&stats->bytes_sent, 0);
    atomic_store(&stats->connections, 0);
    pthread_mutex_lock(&stats->lock);
    for (size_t i = 0; i < stats->n_kinds; i++)
        stats->kinds[i].count = 0;
    pthread_mutex_unlock(&stats->lock);
}

struct word {
    const char *at;
    size_t len;
};

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '.' || c == '"';
}

/* The next word, names with their dots and quotes whole; strings and punctuation are stepped over. */
static struct word next_word(const char **at, const char *end)
{
    while (*at < end && !in_word(**at)) {
        if (**at == '\'') {
            const char *close = memchr(*at + 1, '\'', (size_t)(end - *at - 1));
            *at = close == NULL ? end - 1 : close;
        }
        (*at)++;
    }
    struct word word = {.at = *at};
    while (*at < end && in_word(**at))
        (*at)++;
    word.len = (size_t)(*at - word.at);
    return word;
}

static bool is(struct word word, const char *text)
{
    return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

/* Where does the table's name stand: behind which word? NULL: it is of no interest. */
static const char *before_table(struct word verb)
{
    if (is(verb, "select") || is(verb, "delete"))
        return "from";
    if (is(verb, "insert"))
        return "into";
    return NULL;
}

static void append(char *name, struct word word)
{
    size_t len = strlen(name);
    if (word.len > 0 && len > 0 && len + 1 < SY_STATS_NAME)
        name[len++] = ' ';
    for (size_t i = 0; i < word.len && len + 1 < SY_STATS_NAME; i++) {
        if (word.at[i] != '"')
            name[len++] = (char)tolower((unsigned char)word.at[i]);
    }
    name[len] = '\0';
}

void sy_stats_name(const char *cql, size_t len, char ret_name[SY_STATS_NAME])
{
    const char *at = cql;
    const char *end = cql + len;
    memset(ret_name, 0, SY_STATS_NAME);
    struct word verb = next_word(&at, end);
    append(ret_name, verb);
    const char *marker = before_table(verb);
    while (marker != NULL && at < end && !is(next_word(&at, end), marker))
        continue;
    if (verb.len > 0 && !is(verb, "begin"))
        append(ret_name, next_word(&at, end));
    if (ret_name[0] == '\0')
        memcpy(ret_name, "nothing", sizeof("nothing"));
}

/* The caller holds `lock`. */
static size_t kind_of(struct sy_stats *stats, const char *cql, size_t len)
{
    char name[SY_STATS_NAME];
    sy_stats_name(cql, len, name);
    for (size_t i = 0; i < stats->n_kinds; i++) {
        if (strcmp(stats->kinds[i].name, name) == 0)
            return i;
    }
    if (stats->n_kinds == SY_STATS_KINDS)
        return SY_STATS_KINDS - 1;
    struct sy_stats_kind *kind = &stats->kinds[stats->n_kinds];
    snprintf(kind->name, sizeof(kind->name), "%s", stats->n_kinds == SY_STATS_KINDS - 1 ? "other" : name);
    return stats->n_kinds++;
}

void sy_stats_count(struct sy_stats *stats, const char *cql, size_t len)
{
    pthread_mutex_lock(&stats->lock);
    stats->kinds[kind_of(stats, cql, len)].count++;
    pthread_mutex_unlock(&stats->lock);
}

/* Ids are MD5 sums: their first bytes are as good as a hash. The caller holds `lock`; the table is not full.
 */
static size_t slot_of(const struct sy_stats *stats, const uint8_t id[16])
{
    uint64_t hash;
    memcpy(&hash, id, sizeof(hash));
    size_t i = (size_t)hash & (stats->texts_cap - 1);
    while (stats->texts[i] != NULL && memcmp(stats->texts[i]->id, id, 16) != 0)
        i = (i + 1) & (stats->texts_cap - 1);
    return i;
}

static void grow(struct sy_stats *stats)
{
    struct sy_stats_text **old = stats->texts;
    size_t old_cap = stats->texts_cap;
    stats->texts_cap = old_cap == 0 ? 256 : old_cap * 2;
    stats->texts = sy_wire_alloc(stats->texts_cap, sizeof(struct sy_stats_text *));
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i] != NULL)
            stats->texts[slot_of(stats, old[i]->id)] = old[i];
    }
    free(old);
}

void sy_stats_learn(struct sy_stats *stats, const uint8_t id[16], const char *cql, size_t len)
{
    pthread_mutex_lock(&stats->lock);
    if (stats->n_texts * 2 >= stats->texts_cap)
        grow(stats);
    size_t i = slot_of(stats, id);
    if (stats->texts[i] == NULL) {
        struct sy_stats_text *text = sy_wire_alloc(1, sizeof(*text) + len + 1);
        memcpy(text->id, id, sizeof(text->id));
        memcpy(text->cql, cql, len);
        text->kind = kind_of(stats, cql, len);
        stats->texts[i] = text;
        stats->n_texts++;
    }
    pthread_mutex_unlock(&stats->lock);
}

const char *sy_stats_count_id(struct sy_stats *stats, const uint8_t id[16])
{
    const char *cql = NULL;
    pthread_mutex_lock(&stats->lock);
    struct sy_stats_text *text = stats->texts_cap == 0 ? NULL : stats->texts[slot_of(stats, id)];
    if (text != NULL) {
        stats->kinds[text->kind].count++;
        cql = text->cql;
    }
    pthread_mutex_unlock(&stats->lock);
    return cql;
}

struct print {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3))) static void put(struct print *print, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(print->at, print->left, format, args);
    va_end(args);
    if (len > 0 && (size_t)len < print->left) {
        print->at += len;
        print->left -= (size_t)len;
    }
}

static void print_opcodes(struct sy_stats *stats, struct print *print)
{
    const char *comma = "";
    for (uint8_t i = 0; i < SY_OPCODES; i++) {
        uint64_t n = atomic_load(&stats->opcodes[i]);
        if (n > 0) {
            put(print, "%s\"%s\": %" PRIu64, comma, sy_opcode_name(i), n);
            comma = ", ";
        }
    }
}

static void print_shards(struct sy_stats *stats, struct print *print)
{
    const char *comma = "";
    for (uint32_t i = 0; i < stats->n_nodes * stats->n_shards; i++) {
        uint64_t n = atomic_load(&stats->shards[i]);
        if (n > 0) {
            put(print, "%s\"%u/%u\": %" PRIu64, comma, i / stats->n_shards, i % stats->n_shards, n);
            comma = ", ";
        }
    }
}

static void print_kinds(struct sy_stats *stats, struct print *print)
{
    const char *comma = "";
    pthread_mutex_lock(&stats->lock);
    for (size_t i = 0; i < stats->n_kinds; i++) {
        if (stats->kinds[i].count > 0) {
            put(print, "%s\"%s\": %" PRIu64, comma, stats->kinds[i].name, stats->kinds[i].count);
            comma = ", ";
        }
    }
    pthread_mutex_unlock(&stats->lock);
}

void sy_stats_print(struct sy_stats *stats, char *text, size_t size)
{
    struct print print = {.at = text, .left = size};
    put(&print, "{\"connections\": %" PRIu64, atomic_load(&stats->connections));
    put(&print, ", \"errors\": %" PRIu64, atomic_load(&stats->errors));
    put(&print, ", \"bytes_received\": %" PRIu64, atomic_load(&stats->bytes_received));
    put(&print, ", \"bytes_sent\": %" PRIu64 ", \"opcodes\": {", atomic_load(&stats->bytes_sent));
    print_opcodes(stats, &print);
    put(&print, "}, \"shards\": {");
    print_shards(stats, &print);
    put(&print, "}, \"statements\": {");
    print_kinds(stats, &print);
    put(&print, "}}");
}
