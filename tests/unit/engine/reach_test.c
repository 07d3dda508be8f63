/* SPDX-License-Identifier: Apache-2.0 */
/* What a connector that comes by REST may name of the host and its network. */
#include "engine/config/reach.h"

#include "base/props.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What is said of one setting; "" when nothing is. Static memory. */
static const char *said(const char *files, const char *hosts, const char *key, const char *value)
{
    static char text[SL_ERROR_TEXT_SIZE];
    struct sl_props *worker = sl_props_new();
    struct sl_props *props = sl_props_new();
    struct sl_complaints complaints = {0};

    if (files)
        sl_props_set(worker, "sluice.connector.files", files);
    if (hosts)
        sl_props_set(worker, "sluice.connector.hosts", hosts);
    sl_props_set(props, key, value);
    sl_reach_check(props, worker, &complaints);
    (void)snprintf(text, sizeof(text), "%s", complaints.n ? complaints.items[0].text : "");
    sl_complaints_done(&complaints);
    sl_props_free(props);
    sl_props_free(worker);
    return text;
}

#define assert_taken(...) assert_string_equal(said(__VA_ARGS__), "")
#define assert_told(part, ...)                               \
    do {                                                     \
        const char *text_ = said(__VA_ARGS__);               \
        if (!strstr(text_, part))                            \
            fail_msg("'%s' does not say '%s'", text_, part); \
    } while (0)

static void files_outside_the_list_are_refused_under_every_key_that_names_one(void **state)
{
    static const char *const keys[] = {"scylla.ssl.truststore.path",
                                       "scylla.ssl.openssl.privateKey",
                                       "value.converter.schema.registry.ssl.keystore.location",
                                       "consumer.override.ssl.truststore.location",
                                       "connection.sslkey",
                                       "connection.SSLROOTCERT",
                                       "sluice.odbc.driver",
                                       "schema.history.internal.file.filename",
                                       "producer.override.plugin.library.paths"};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        assert_told("outside the folders", NULL, NULL, keys[i], "/etc/shadow");
        assert_told("sluice.connector.files", NULL, NULL, keys[i], "/etc/ssl/certs/../private/server.key");
        assert_taken("/", NULL, keys[i], "/etc/passwd");
    }
}

static void files_below_the_list_are_taken_and_links_count_by_what_they_lead_to(void **state)
{
    char folder[] = "/tmp/reach-XXXXXX";
    char path[64], link[64], pipe[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/store.jks", folder);
    (void)snprintf(link, sizeof(link), "%s/link", folder);
    (void)snprintf(pipe, sizeof(pipe), "%s/pipe", folder);
    (void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_taken(folder, NULL, "scylla.ssl.truststore.path", path);
    assert_taken("/nowhere,/vault/secrets", NULL, "scylla.ssl.truststore.path", "/vault/secrets/a.jks");
    assert_told("outside", "/nowhere", NULL, "scylla.ssl.truststore.path", path);
    assert_told("outside", folder, NULL, "scylla.ssl.truststore.path", link);
    assert_told("not a plain file", folder, NULL, "scylla.ssl.truststore.path", pipe);
    (void)unlink(pipe);
    (void)unlink(link);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void what_is_no_file_is_left_alone(void **state)
{
    (void)state;
    assert_taken(NULL, NULL, "sluice.odbc.driver", "ODBC Driver 18 for SQL Server");
    assert_taken(NULL, NULL, "connection.sslrootcert", "");
    assert_taken(NULL, NULL, "value.converter.ssl.keystore.location", "-----BEGIN CERTIFICATE-----");
    assert_taken(NULL, NULL, "transforms.cut.type.location", "/etc/passwd");
    assert_taken(NULL, NULL, "name", "/etc/passwd");
}

static void files_in_the_parameters_of_a_url_are_seen(void **state)
{
    (void)state;
    assert_told("outside", NULL, NULL, "connection.url",
                "jdbc:postgresql://db/x?ssl=true&sslkey=/root/.ssh/id");
    assert_told("outside", NULL, NULL, "connection.url", "jdbc:postgresql://db/x?ssl%4bey=%2Froot%2f.ssh/id");
    assert_taken(NULL, NULL, "connection.url", "jdbc:postgresql://db/x?currentSchema=/a&sslmode=require");
}

static void every_spelling_of_a_link_local_address_is_refused(void **state)
{
    static const char *const spellings[] = {"169.254.169.254",
                                            "0xA9FEA9FE",
                                            "2852039166",
                                            "169.254.43518",
                                            "0251.0376.0251.0376",
                                            "[fe80::1%eth0]",
                                            "[FE80::1]:80",
                                            "[::ffff:a9fe:a9fe]",
                                            "169.254.1.2:5432",
                                            "a.example,169.254.0.1",
                                            "fe80::1",
                                            "tcp:169.254.0.1",
                                            "user@169.254.0.1",
                                            "%31%36%39.254.0.1",
                                            "db%2C169.254.0.1",
                                            "[fd00:ec2::254]",
                                            "metadata.google.internal",
                                            "METADATA.google.internal."};

    (void)state;
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        char url[128];

        assert_told("link-local", NULL, NULL, "database.hostname", spellings[i]);
        (void)snprintf(url, sizeof(url), "jdbc:postgresql://%s/x", spellings[i]);
        assert_told("link-local", NULL, NULL, "connection.url", url);
        (void)snprintf(url, sizeof(url), "http://ok:8081, http://%s/x", spellings[i]);
        if (!strchr(spellings[i], ',') && !strstr(spellings[i], "%2C"))
            assert_told("link-local", NULL, NULL, "value.converter.schema.registry.url", url);
    }
    assert_told("link-local", NULL, NULL, "consumer.override.sasl.oauthbearer.token.endpoint.url",
                "http://169.254.169.254/latest/meta-data");
    assert_told("socket", NULL, NULL, "connection.url", "jdbc:postgresql://%2Fvar%2Frun%2Fpostgresql/x");
    assert_told("socket", NULL, NULL, "connection.url", "jdbc:postgresql://db/x?PGHOST=/run");
}

static void other_hosts_are_taken_when_there_is_no_list(void **state)
{
    (void)state;
    assert_taken(NULL, NULL, "connection.url", "jdbc:postgresql://127.0.0.1:5432/db");
    assert_taken(NULL, NULL, "connection.url", "jdbc:postgresql:db");
    assert_taken(NULL, NULL, "connection.url", "jdbc:postgresql://[::1],db2:5433/db?PGHOST=other");
    assert_taken(NULL, "", "scylla.cluster.ip.addresses", "scylla:9042, 10.0.0.7");
    assert_taken(NULL, NULL, "database.hostname", "${vault:secret/database:sqlserver_host}");
}

static void with_a_list_only_its_names_and_networks_are_taken(void **state)
{
    const char *list = "*.db.example, registry, 10.0.0.0/8, fd00:1::/32, 192.0.2.7, /run/postgresql";

    (void)state;
    assert_true(sl_reach_host(list, "a.DB.example"));
    assert_true(sl_reach_host(list, "REGISTRY"));
    assert_true(sl_reach_host(list, "10.255.0.1"));
    assert_true(sl_reach_host(list, "0x0a000001"));
    assert_true(sl_reach_host(list, "fd00:1::7"));
    assert_true(sl_reach_host(list, "192.0.2.7"));
    assert_true(sl_reach_host(list, "/run/postgresql"));
    assert_false(sl_reach_host(list, "db.example"));
    assert_false(sl_reach_host(list, "xdb.example"));
    assert_false(sl_reach_host(list, "11.0.0.1"));
    assert_false(sl_reach_host(list, "192.0.2.70"));
    assert_false(sl_reach_host(list, "fd00:2::7"));
    assert_false(sl_reach_host(list, "localhost"));
    assert_false(sl_reach_host(list, "/run"));
    assert_true(sl_reach_host("*", "169.254.169.254"));
    assert_false(sl_reach_host("10.0.0.0/x", "10.0.0.1"));
    assert_told("sluice.connector.hosts", NULL, list, "connection.url", "jdbc:postgresql:db");
    assert_told("'evil'", NULL, list, "value.converter.schema.registry.url",
                "http://registry:8081,http://evil");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_outside_the_list_are_refused_under_every_key_that_names_one),
        cmocka_unit_test(files_below_the_list_are_taken_and_links_count_by_what_they_lead_to),
        cmocka_unit_test(what_is_no_file_is_left_alone),
        cmocka_unit_test(files_in_the_parameters_of_a_url_are_seen),
        cmocka_unit_test(every_spelling_of_a_link_local_address_is_refused),
        cmocka_unit_test(other_hosts_are_taken_when_there_is_no_list),
        cmocka_unit_test(with_a_list_only_its_names_and_networks_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
