/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/letters/dead_letters.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "codec/murmur2.h"
#include "engine/config/connector_options.h"
#include "engine/headers.h"
#include "engine/letters/letter.h"

#include <stdio.h>
#include <strings.h>

enum { REMEMBERED = 4096 };

#define DATA_EXCEPTION "org.apache.kafka.connect.errors.DataException"
#define SQL_EXCEPTION "java.sql.SQLException"

struct place {
    const struct sl_topic *topic;
    int32_t partition;
    int64_t offset;
};

struct sl_dead_letters {
    const char *connector;
    int task;
    bool tolerate;
    bool with_headers;
    bool log_records;
    const struct sl_topic *topic;
    int32_t partitions;
    struct sl_log_writer *writer; /* NULL without a topic */

    pthread_mutex_t reporting; /* one letter at a time; guards outgoing and written */
    struct sl_outgoing *outgoing;
    struct place written[REMEMBERED]; /* a ring */
    uint32_t n_written;
    uint32_t next_partition; /* for letters without a key */

    pthread_mutex_t counting; /* guards counts */
    struct sl_error_counts counts;

    pthread_mutex_t lock; /* guards the writer's answer */
    pthread_cond_t answered;
    bool waiting;
    struct sl_error failure; /* rc SL_OK: durable */
};

enum sl_rc sl_dead_letters_open(struct sl_dead_letters **ret, const char *connector, int task,
                                const struct sl_props *props, const struct sl_topic_settings *settings,
                                struct sl_topics *topics, struct sl_log_writer *writer, struct sl_error *err)
{
    const char *name = sl_connector_text(props, "errors.deadletterqueue.topic.name");
    struct sl_dead_letters *letters = sl_zalloc(1, sizeof(*letters));
    struct sl_topic_settings single = *settings;

    single.partitions = 1;
    single.props = props;
    single.replication = (int16_t)sl_connector_int(props, "errors.deadletterqueue.topic.replication.factor");
    letters->connector = connector;
    letters->task = task;
    letters->tolerate = strcasecmp(sl_connector_text(props, "errors.tolerance"), "all") == 0;
    letters->with_headers = sl_connector_bool(props, "errors.deadletterqueue.context.headers.enable");
    letters->log_records = sl_connector_bool(props, "errors.log.enable");
    if (name && *name) {
        const struct sl_appender_config config = {
            .connector = connector, .task = task, .role = "dlq-producer", .props = props};
        enum sl_rc rc;

        letters->topic = sl_topic_intern(name, strlen(name));
        rc = sl_topics_ensure(topics, letters->topic, &single, &letters->partitions, err);
        if (rc == SL_OK)
            rc = sl_log_writer_open(writer, &config, &letters->writer, err);
        if (rc) {
            sl_free(letters);
            return rc;
        }
    }
    letters->outgoing = sl_outgoing_new(connector);
    (void)pthread_mutex_init(&letters->reporting, NULL);
    (void)pthread_mutex_init(&letters->counting, NULL);
    (void)pthread_mutex_init(&letters->lock, NULL);
    sl_cond_init(&letters->answered);
    *ret = letters;
    return SL_OK;
}

void sl_dead_letters_close(struct sl_dead_letters *letters)
{
    if (!letters)
        return;
    sl_log_writer_close(letters->writer);
    sl_outgoing_free(letters->outgoing);
    (void)pthread_cond_destroy(&letters->answered);
    (void)pthread_mutex_destroy(&letters->lock);
    (void)pthread_mutex_destroy(&letters->counting);
    (void)pthread_mutex_destroy(&letters->reporting);
    sl_free(letters);
}

const struct sl_topic *sl_dead_letters_topic(const struct sl_dead_letters *letters)
{
    return letters->topic;
}

static void put_text(struct sl_buf *out, const char *name, const char *text)
{
    sl_headers_put(out, name, (struct sl_span){(const uint8_t *)text, strlen(text)});
}

static void put_number(struct sl_buf *out, const char *name, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)number);
    put_text(out, name, text);
}

/* What the JDBC sink's own exception would be where the target gave a SQLSTATE, and a converter's elsewhere.
 */
static const char *exception_of(const struct sl_bad_record *bad)
{
    return strcmp(bad->stage, "TASK_PUT") == 0 && strlen(bad->why->native) == 5 ? SQL_EXCEPTION
                                                                                : DATA_EXCEPTION;
}

/* Names and order are Kafka Connect's; a record that has them already gets them again behind. */
static void put_context(struct sl_buf *out, const struct sl_dead_letters *letters,
                        const struct sl_bad_record *bad)
{
    const char *exception = exception_of(bad);
    char trace[SL_ERROR_TEXT_SIZE + 256];

    put_text(out, "__connect.errors.topic", bad->raw->topic->name);
    put_number(out, "__connect.errors.partition", bad->raw->partition);
    put_number(out, "__connect.errors.offset", bad->raw->offset);
    put_text(out, "__connect.errors.connector.name", letters->connector);
    put_number(out, "__connect.errors.task.id", letters->task);
    put_text(out, "__connect.errors.stage", bad->stage);
    put_text(out, "__connect.errors.class.name", bad->class_name);
    put_text(out, "__connect.errors.exception.class.name", exception);
    put_text(out, "__connect.errors.exception.message", bad->why->text);
    (void)snprintf(trace, sizeof(trace), "%s: %s\nCaused by: %s%s%s\n", exception, bad->why->text,
                   sl_rc_name(bad->why->rc), bad->why->native[0] ? " " : "", bad->why->native);
    put_text(out, "__connect.errors.exception.stacktrace", trace);
}

/* The header that a replay reads (letter.h). The texts are only read. */
static void put_letter_header(struct sl_buf *out, const struct sl_dead_letters *letters,
                              const struct sl_bad_record *bad)
{
    const struct sl_letter letter = {.connector = (char *)(uintptr_t)letters->connector,
                                     .task = letters->task,
                                     .topic = (char *)(uintptr_t)bad->raw->topic->name,
                                     .partition = bad->raw->partition,
                                     .offset = bad->raw->offset,
                                     .stage = (char *)(uintptr_t)bad->stage,
                                     .class_name = (char *)(uintptr_t)bad->class_name,
                                     .code = (char *)(uintptr_t)sl_rc_name(bad->why->rc),
                                     .native = (char *)(uintptr_t)bad->why->native,
                                     .error = (char *)(uintptr_t)bad->why->text,
                                     .at_ms = sl_wall_us() / 1000,
                                     .attempt = bad->attempt > 1 ? bad->attempt : 1,
                                     .behind = bad->waits ? bad->behind : -1,
                                     .source = (char *)(uintptr_t)bad->source};
    struct sl_buf text = {0};

    sl_letter_put(&text, &letter);
    sl_headers_put(out, SL_HEADER_LETTER, (struct sl_span){text.data, text.len});
    sl_buf_done(&text);
}

static struct sl_span put_part(struct sl_buf *bytes, struct sl_span part)
{
    size_t start = bytes->len;

    if (!part.ptr)
        return part;
    sl_buf_put(bytes, part.ptr, part.len);
    return sl_outgoing_place(start, bytes->len);
}

/* As Kafka's partitioner does: letters of one key stay in their order. */
static int32_t choose_partition(struct sl_dead_letters *letters, struct sl_span key)
{
    if (letters->partitions <= 1)
        return 0;
    if (!key.ptr)
        return (int32_t)(letters->next_partition++ % (uint32_t)letters->partitions);
    return sl_murmur2_partition(key.ptr, key.len, letters->partitions);
}

/* A letter at the end of the outgoing: the record's own key, value, time and headers, and ours when bad says
 * so. */
static void add_letter(struct sl_dead_letters *letters, const struct sl_log_record *raw,
                       const struct sl_bad_record *bad)
{
    struct sl_outgoing *outgoing = letters->outgoing;
    struct sl_buf *bytes = &outgoing->bytes;
    struct sl_log_record letter = {.topic = letters->topic,
                                   .partition = choose_partition(letters, raw->key),
                                   .offset = -1,
                                   .timestamp_ms = raw->timestamp_ms};
    size_t headers_start;

    letter.key = put_part(bytes, raw->key);
    letter.value = put_part(bytes, raw->value);
    headers_start = bytes->len;
    sl_buf_put(bytes, raw->headers.ptr, raw->headers.len);
    if (bad && letters->with_headers && !bad->waits)
        put_context(bytes, letters, bad);
    if (bad)
        put_letter_header(bytes, letters, bad);
    if (bytes->len > headers_start)
        letter.headers = sl_outgoing_place(headers_start, bytes->len);
    sl_outgoing_add(outgoing, &letter);
}

static void answer(void *ctx, struct sl_outgoing *outgoing, const struct sl_error *failure)
{
    struct sl_dead_letters *letters = ctx;

    (void)outgoing;
    (void)pthread_mutex_lock(&letters->lock);
    letters->failure = failure ? *failure : (struct sl_error){0};
    letters->waiting = false;
    (void)pthread_cond_signal(&letters->answered);
    (void)pthread_mutex_unlock(&letters->lock);
}

static enum sl_rc append_and_wait(struct sl_dead_letters *letters, struct sl_error *err)
{
    sl_outgoing_seal(letters->outgoing);
    letters->waiting = true;
    letters->outgoing->done = answer;
    letters->outgoing->ctx = letters;
    sl_log_writer_submit(letters->writer, letters->outgoing);
    (void)pthread_mutex_lock(&letters->lock);
    while (letters->waiting)
        (void)sl_cond_wait(&letters->answered, &letters->lock, INT64_MAX);
    if (letters->failure.rc)
        *err = letters->failure;
    (void)pthread_mutex_unlock(&letters->lock);
    return letters->failure.rc;
}

static bool written_before(const struct sl_dead_letters *letters, const struct sl_log_record *raw)
{
    uint32_t n = letters->n_written < REMEMBERED ? letters->n_written : REMEMBERED;

    for (uint32_t i = 0; i < n; i++) {
        const struct place *place = &letters->written[i];

        if (place->offset == raw->offset && place->partition == raw->partition && place->topic == raw->topic)
            return raw->offset >= 0;
    }
    return false;
}

static void remember(struct sl_dead_letters *letters, const struct sl_bad_record *bad)
{
    letters->written[letters->n_written++ % REMEMBERED] =
        (struct place){bad->raw->topic, bad->raw->partition, bad->raw->offset};
    (void)pthread_mutex_lock(&letters->counting);
    letters->counts.letters++;
    letters->counts.parked += bad->waits;
    (void)pthread_mutex_unlock(&letters->counting);
}

static enum sl_rc deliver(struct sl_dead_letters *letters, const struct sl_bad_record *bad,
                          struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    (void)pthread_mutex_lock(&letters->reporting);
    if (!written_before(letters, bad->raw)) {
        sl_outgoing_reset(letters->outgoing);
        add_letter(letters, bad->raw, bad);
        rc = append_and_wait(letters, err);
        if (rc == SL_OK)
            remember(letters, bad);
    }
    (void)pthread_mutex_unlock(&letters->reporting);
    return rc;
}

static void say(const struct sl_dead_letters *letters, const struct sl_bad_record *bad)
{
    sl_warn(letters->topic ? "a bad record went to the dead letters" : "a bad record was left out",
            SL_T("topic", bad->raw->topic->name), SL_I("partition", bad->raw->partition),
            SL_I("offset", bad->raw->offset), SL_T("stage", bad->stage), SL_T("class", bad->class_name),
            SL_T("dead_letter_topic", letters->topic ? letters->topic->name : ""),
            SL_T("error", bad->why->text));
}

/* The cause first; where it is behind it, so that a cut text still says what is wrong. */
static enum sl_rc refuse(const struct sl_bad_record *bad, struct sl_error *err)
{
    struct sl_error why = *bad->why;

    if (bad->raw->offset >= 0)
        (void)sl_error_set(err, SL_E_DATA, "topic '%s', partition %d, offset %lld: %s", bad->raw->topic->name,
                           (int)bad->raw->partition, (long long)bad->raw->offset, why.text);
    else
        (void)sl_error_set(err, SL_E_DATA, "topic '%s': %s", bad->raw->topic->name, why.text);
    sl_error_native(err, why.native);
    return err->rc;
}

static void count(struct sl_dead_letters *letters)
{
    (void)pthread_mutex_lock(&letters->counting);
    letters->counts.failures++;
    letters->counts.skipped += letters->tolerate;
    letters->counts.logged += letters->tolerate || letters->log_records;
    letters->counts.last_ms = sl_wall_us() / 1000;
    (void)pthread_mutex_unlock(&letters->counting);
}

void sl_dead_letters_counts(struct sl_dead_letters *letters, struct sl_error_counts *ret)
{
    (void)pthread_mutex_lock(&letters->counting);
    *ret = letters->counts;
    (void)pthread_mutex_unlock(&letters->counting);
}

enum sl_rc sl_dead_letters_report(struct sl_dead_letters *letters, const struct sl_bad_record *bad,
                                  struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    /* With tolerance none Connect writes the letter too, and stops all the same. */
    if (letters->topic)
        rc = deliver(letters, bad, err);
    if (rc)
        return rc;
    count(letters);
    if (letters->tolerate || letters->log_records)
        say(letters, bad);
    return letters->tolerate ? SL_OK : refuse(bad, err);
}

enum sl_rc sl_dead_letters_write(struct sl_dead_letters *letters, const struct sl_bad_record *bads, size_t n,
                                 struct sl_error *err)
{
    enum sl_rc rc = SL_OK;
    size_t added = 0;

    (void)pthread_mutex_lock(&letters->reporting);
    sl_outgoing_reset(letters->outgoing);
    for (size_t i = 0; i < n; i++) {
        if (written_before(letters, bads[i].raw))
            continue;
        add_letter(letters, bads[i].raw, &bads[i]);
        added++;
    }
    if (added)
        rc = append_and_wait(letters, err);
    for (size_t i = 0; rc == SL_OK && i < n; i++) {
        if (!written_before(letters, bads[i].raw))
            remember(letters, &bads[i]);
    }
    (void)pthread_mutex_unlock(&letters->reporting);
    return rc;
}

enum sl_rc sl_dead_letters_put_back(struct sl_dead_letters *letters, const struct sl_log_record *records,
                                    size_t n, struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (!n)
        return SL_OK;
    (void)pthread_mutex_lock(&letters->reporting);
    sl_outgoing_reset(letters->outgoing);
    for (size_t i = 0; i < n; i++)
        add_letter(letters, &records[i], NULL);
    rc = append_and_wait(letters, err);
    (void)pthread_mutex_unlock(&letters->reporting);
    return rc;
}
