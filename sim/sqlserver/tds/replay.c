/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAGIC "mssim recording 1\n"
#define MAX_FILE_BYTES (UINT64_C(4) << 30)

/* A file: the magic, three u64 (length of the needle, of the tokens, rows), the needle, the tokens. */
struct lengths {
    uint64_t needle;
    uint64_t tokens;
    uint64_t rows;
};

void ms_replay_init(struct ms_replay *replay)
{
    *replay = (struct ms_replay){0};
    pthread_mutex_init(&replay->lock, NULL);
}

static void free_recording(struct ms_recording *recording)
{
    free(recording->needle);
    ms_bytes_done(&recording->tokens);
    free(recording);
}

void ms_replay_done(struct ms_replay *replay)
{
    while (replay->newest != NULL) {
        struct ms_recording *older = replay->newest->older;
        free_recording(replay->newest);
        replay->newest = older;
    }
    free(replay->record_needle);
    free(replay->record_path);
    pthread_mutex_destroy(&replay->lock);
}

static struct ms_recording *new_recording(const char *needle, size_t len)
{
    struct ms_recording *recording = calloc(1, sizeof(*recording));
    if (recording == NULL || (recording->needle = strndup(needle, len)) == NULL)
        abort();
    return recording;
}

/* The whole file after its magic, or NULL: a broken file must not be half used. */
static struct ms_recording *read_recording(FILE *file)
{
    char magic[sizeof(MAGIC) - 1];
    struct lengths lengths;
    if (fread(magic, sizeof(magic), 1, file) != 1 || memcmp(magic, MAGIC, sizeof(magic)) != 0 ||
        fread(&lengths, sizeof(lengths), 1, file) != 1 || lengths.needle == 0 || lengths.needle > 65536 ||
        lengths.tokens > MAX_FILE_BYTES)
        return NULL;
    char needle[65536];
    if (fread(needle, lengths.needle, 1, file) != 1)
        return NULL;
    struct ms_recording *recording = new_recording(needle, lengths.needle);
    recording->rows = lengths.rows;
    uint8_t *tokens = ms_bytes_room(&recording->tokens, lengths.tokens);
    if (fread(tokens, 1, lengths.tokens, file) != lengths.tokens) {
        free_recording(recording);
        return NULL;
    }
    recording->tokens.len = lengths.tokens;
    return recording;
}

bool ms_replay_load(struct ms_replay *replay, const char *path, uint64_t times, char *ret_text, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(ret_text, size, "cannot open '%.500s': %s", path, strerror(errno));
        return false;
    }
    struct ms_recording *recording = read_recording(file);
    fclose(file);
    if (recording == NULL) {
        snprintf(ret_text, size, "'%.500s' is no recording. HINT: make one with: record PATH TEXT", path);
        return false;
    }
    pthread_mutex_lock(&replay->lock);
    for (struct ms_recording *older = replay->newest; older != NULL; older = older->older) {
        if (strcmp(older->needle, recording->needle) == 0)
            older->times = 0;
    }
    recording->times = times;
    recording->older = replay->newest;
    replay->newest = recording;
    pthread_mutex_unlock(&replay->lock);
    return true;
}

void ms_replay_stop(struct ms_replay *replay)
{
    pthread_mutex_lock(&replay->lock);
    for (struct ms_recording *recording = replay->newest; recording != NULL; recording = recording->older)
        recording->times = 0;
    pthread_mutex_unlock(&replay->lock);
}

void ms_replay_record(struct ms_replay *replay, const char *path, const char *needle)
{
    char *new_path = strdup(path);
    char *new_needle = strdup(needle);
    if (new_path == NULL || new_needle == NULL)
        abort();
    pthread_mutex_lock(&replay->lock);
    free(replay->record_path);
    free(replay->record_needle);
    replay->record_path = new_path;
    replay->record_needle = new_needle;
    pthread_mutex_unlock(&replay->lock);
}

static bool contains(const char *sql, size_t len, const char *needle)
{
    return memmem(sql, len, needle, strlen(needle)) != NULL;
}

struct ms_recording *ms_replay_find(struct ms_replay *replay, const char *sql, size_t len)
{
    pthread_mutex_lock(&replay->lock);
    struct ms_recording *recording = replay->newest;
    while (recording != NULL && (recording->times == 0 || !contains(sql, len, recording->needle)))
        recording = recording->older;
    pthread_mutex_unlock(&replay->lock);
    return recording;
}

bool ms_replay_take(struct ms_replay *replay, struct ms_recording *recording)
{
    pthread_mutex_lock(&replay->lock);
    bool taken = recording->times > 0;
    if (taken)
        recording->times--;
    pthread_mutex_unlock(&replay->lock);
    return taken;
}

struct ms_recording *ms_replay_begin_record(struct ms_replay *replay, const char *sql, size_t len)
{
    struct ms_recording *recording = NULL;
    pthread_mutex_lock(&replay->lock);
    if (replay->record_needle != NULL && contains(sql, len, replay->record_needle)) {
        recording = new_recording(replay->record_needle, strlen(replay->record_needle));
        free(replay->record_needle);
        replay->record_needle = NULL;
    }
    pthread_mutex_unlock(&replay->lock);
    return recording;
}

static bool write_recording(const char *path, const struct ms_recording *recording)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    const struct lengths lengths = {strlen(recording->needle), recording->tokens.len, recording->rows};
    bool ok = fwrite(MAGIC, sizeof(MAGIC) - 1, 1, file) == 1 &&
              fwrite(&lengths, sizeof(lengths), 1, file) == 1 &&
              fwrite(recording->needle, lengths.needle, 1, file) == 1 &&
              fwrite(recording->tokens.data, 1, lengths.tokens, file) == lengths.tokens;
    return fclose(file) == 0 && ok;
}

void ms_replay_save(struct ms_replay *replay, struct ms_recording *recording)
{
    pthread_mutex_lock(&replay->lock);
    if (!write_recording(replay->record_path, recording))
        fprintf(stderr, "sluice-sim-sqlserver: cannot write the recording '%s': %s\n", replay->record_path,
                strerror(errno));
    pthread_mutex_unlock(&replay->lock);
    free_recording(recording);
}
