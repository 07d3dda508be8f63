/* SPDX-License-Identifier: Apache-2.0 */
/* Connection strings, for FreeTDS and for Microsoft's driver, and where FreeTDS is. */
#include "net/odbc/connection.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

const char *sl_odbc_find_freetds(void)
{
    static const char *const paths[] = {
        "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so",
        "/usr/lib/aarch64-linux-gnu/odbc/libtdsodbc.so",
        "/usr/lib64/libtdsodbc.so.0",
        "/usr/lib/libtdsodbc.so",
        "/usr/local/lib/libtdsodbc.so",
        "/opt/homebrew/lib/libtdsodbc.so",
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        if (access(paths[i], R_OK) == 0)
            return paths[i];
    return "FreeTDS"; /* its usual name in odbcinst.ini; the driver manager says when it is not there */
}

bool sl_odbc_is_microsoft(const char *driver)
{
    return strcasestr(driver, "msodbcsql") || strcasestr(driver, "ODBC Driver 1");
}

/*
 * A value in braces ends at "}" followed by ";" for FreeTDS, and at a "}" that is not doubled for everybody
 * else. A value that both read alike contains no "}" at all; others are written the way of the driver.
 */
static enum sl_rc put_value(struct sl_buf *text, bool microsoft, const char *key, const char *value,
                            struct sl_error *err)
{
    if (strlen(value) > 1024)
        return sl_error_set(err, SL_E_CONFIG,
                            "the value of connection attribute %s is longer than 1024 bytes", key);
    for (const char *p = value; *p; p++)
        if (iscntrl((unsigned char)*p))
            return sl_error_set(err, SL_E_CONFIG, "connection attribute %s contains a control character",
                                key);
    if (!microsoft && strstr(value, "};"))
        return sl_error_set(
            err, SL_E_CONFIG,
            "connection attribute %s contains '};', which FreeTDS cannot take. HINT: change it, "
            "or use Microsoft's driver (sluice.odbc.driver)",
            key);
    sl_buf_format(text, "%s={", key);
    for (const char *p = value; *p; p++) {
        sl_buf_u8(text, (uint8_t)*p);
        if (*p == '}' && microsoft)
            sl_buf_u8(text, '}');
    }
    sl_buf_text(text, "};");
    return SL_OK;
}

static enum sl_rc put_login(struct sl_buf *text, bool microsoft, const struct sl_odbc_target *target,
                            struct sl_error *err)
{
    enum sl_rc rc = SL_OK;

    if (target->user) {
        rc = put_value(text, microsoft, "UID", target->user, err);
        if (rc == SL_OK)
            rc = put_value(text, microsoft, "PWD", target->password ? target->password : "", err);
    } else {
        sl_buf_text(text, "Trusted_Connection=Yes;");
    }
    if (rc == SL_OK && target->database)
        rc = put_value(text, microsoft, "Database", target->database, err);
    if (rc == SL_OK && target->application)
        rc = put_value(text, microsoft, "APP", target->application, err);
    if (target->read_only)
        sl_buf_text(text, "ApplicationIntent=ReadOnly;");
    return rc;
}

static enum sl_rc freetds_string(const struct sl_odbc_target *target, struct sl_buf *text,
                                 struct sl_error *err)
{
    static const char *const encryption[] = {
        [SL_ODBC_ENCRYPT_REQUEST] = "request",
        [SL_ODBC_ENCRYPT_OFF] = "off",
        [SL_ODBC_ENCRYPT_REQUIRE] = "require",
        [SL_ODBC_ENCRYPT_STRICT] = "strict",
    };
    enum sl_rc rc;

    if (target->encrypt == SL_ODBC_ENCRYPT_STRICT)
        return sl_error_set(
            err, SL_E_UNSUPPORTED,
            "encrypt=strict (TDS 8.0) is not known to FreeTDS. HINT: set sluice.odbc.driver to "
            "Microsoft's ODBC driver 18");
    if (target->instance && !target->port) {
        char *server = sl_format("%s\\%s", target->host, target->instance);

        rc = put_value(text, false, "Server", server, err);
        sl_free(server);
    } else {
        rc = put_value(text, false, "Server", target->host, err);
        sl_buf_format(text, "Port=%d;", target->port ? target->port : 1433);
    }
    if (rc != SL_OK)
        return rc;
    sl_buf_format(text, "TDS_Version=7.4;ClientCharset=UTF-8;Encryption=%s;", encryption[target->encrypt]);
    if (target->packet_bytes)
        sl_buf_format(text, "PacketSize=%d;", target->packet_bytes);
    return put_login(text, false, target, err);
}

static enum sl_rc microsoft_string(const struct sl_odbc_target *target, struct sl_buf *text,
                                   struct sl_error *err)
{
    static const char *const encryption[] = {
        [SL_ODBC_ENCRYPT_REQUEST] = "optional",
        [SL_ODBC_ENCRYPT_OFF] = "no",
        [SL_ODBC_ENCRYPT_REQUIRE] = "yes",
        [SL_ODBC_ENCRYPT_STRICT] = "strict",
    };
    char *server = target->instance && !target->port
                       ? sl_format("tcp:%s\\%s", target->host, target->instance)
                       : sl_format("tcp:%s,%d", target->host, target->port ? target->port : 1433);
    enum sl_rc rc = put_value(text, true, "Server", server, err);

    sl_free(server);
    if (rc == SL_OK && target->host_name_in_certificate)
        rc = put_value(text, true, "HostNameInCertificate", target->host_name_in_certificate, err);
    if (rc != SL_OK)
        return rc;
    sl_buf_format(text, "Encrypt=%s;TrustServerCertificate=%s;", encryption[target->encrypt],
                  target->trust_server_certificate ? "yes" : "no");
    return put_login(text, true, target, err);
}

enum sl_rc sl_odbc_connection_string(const struct sl_odbc_target *target, struct sl_buf *ret_text,
                                     struct sl_error *err)
{
    const char *driver = target->driver ? target->driver : sl_odbc_find_freetds();

    /* The driver manager reads this one itself, and knows no doubled braces. */
    if (strpbrk(driver, "{};"))
        return sl_error_set(err, SL_E_CONFIG, "the ODBC driver's name '%s' contains a brace or semicolon",
                            driver);
    sl_buf_reset(ret_text);
    if (driver[0] == '/')
        sl_buf_format(ret_text, "DRIVER=%s;", driver);
    else
        sl_buf_format(ret_text, "DRIVER={%s};", driver);
    return sl_odbc_is_microsoft(driver) ? microsoft_string(target, ret_text, err)
                                        : freetds_string(target, ret_text, err);
}
