/* SPDX-License-Identifier: Apache-2.0 */
#include "roles.h"
#include "store.h"
#include "arena.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define METHOD "$sha256$"
#define SALT_CHARS 32
#define HASH_CHARS (sizeof(METHOD) - 1 + SALT_CHARS + 1 + 64)

static void put_hex(char *to, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

/* "$sha256$salt$hash" over the salt's text and the password. */
static void make_hash(const char *salt, const char *password, char ret[HASH_CHARS + 1])
{
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
        EVP_DigestUpdate(context, salt, SALT_CHARS) == 1 &&
        EVP_DigestUpdate(context, password, strlen(password)) == 1)
        (void)EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    snprintf(ret, HASH_CHARS + 1, METHOD "%.*s$", SALT_CHARS, salt);
    put_hex(ret + strlen(ret), digest, 32);
}

static const struct sy_table *roles_table(struct sy_server *server)
{
    return sy_catalog_table(server, "system_auth", "roles");
}

struct found {
    bool any;
    bool can_login;
    char hash[HASH_CHARS + 1];
};

static const struct sy_column_state *state_of(const struct sy_table *table, const struct sy_row *row,
                                              const char *column)
{
    return &row->columns[sy_table_column_named(table, column, strlen(column))->index];
}

struct search {
    const struct sy_table *table;
    struct found found;
};

static bool on_role(void *ctx, const struct sy_row *row)
{
    struct search *search = ctx;
    const struct sy_column_state *login = state_of(search->table, row, "can_login");
    const struct sy_column_state *hash = state_of(search->table, row, "salted_hash");
    search->found.any = true;
    search->found.can_login = login->value.len == 1 && login->value.bytes[0] != 0;
    if (hash->value.len == HASH_CHARS)
        memcpy(search->found.hash, hash->value.bytes, HASH_CHARS);
    return false;
}

/* The role of that name; NULL: any one. */
static struct found find_role(struct sy_server *server, const char *name)
{
    struct sy_arena arena = {0};
    struct sy_error error;
    struct search search = {.table = roles_table(server)};
    const struct sy_value key = {.len = name == NULL ? 0 : (int32_t)strlen(name),
                                 .bytes = (const uint8_t *)name};
    const struct sy_value *const keys[] = {&key};
    const struct sy_read read = {.table = search.table,
                                 .keys = keys,
                                 .n_keys = name != NULL,
                                 .first_token = INT64_MIN,
                                 .last_token = INT64_MAX};
    if (search.table != NULL)
        (void)sy_store_read(server, &read, on_role, &search, &arena, &error);
    sy_arena_free(&arena);
    return search.found;
}

bool sy_server_login(struct sy_server *server, const char *user, const char *password)
{
    struct found role = find_role(server, user);
    if (!role.can_login || strncmp(role.hash, METHOD, sizeof(METHOD) - 1) != 0)
        return false;
    char hash[HASH_CHARS + 1];
    make_hash(role.hash + sizeof(METHOD) - 1, password, hash);
    return CRYPTO_memcmp(hash, role.hash, HASH_CHARS) == 0;
}

static struct sy_cell_write cell_of(struct sy_server *server, const char *column, struct sy_value value)
{
    return (struct sy_cell_write){.column =
                                      sy_table_column_named(roles_table(server), column, strlen(column)),
                                  .kind = SY_CELL_LIVE,
                                  .ttl_s = SY_TTL_NONE,
                                  .timestamp_us = sy_store_timestamp_us(server),
                                  .path = {.len = SY_NULL},
                                  .value = value};
}

static bool write_cells(struct sy_server *server, const char *role, const struct sy_cell_write *cells,
                        uint32_t n)
{
    struct sy_arena arena = {0};
    struct sy_error error;
    const struct sy_value key = {.len = (int32_t)strlen(role), .bytes = (const uint8_t *)role};
    const struct sy_row_write row = {
        .has_marker = true, .marker_timestamp_us = cells[0].timestamp_us, .cells = cells, .n_cells = n};
    const struct sy_mutation mutation = {
        .table = roles_table(server), .partition_key = &key, .rows = &row, .n_rows = 1};
    const struct sy_write_context context = {.consistency = 1};
    bool ok = sy_store_apply(server, &mutation, 1, &context, &arena, &error);
    sy_arena_free(&arena);
    return ok;
}

bool sy_store_set_password(struct sy_server *server, const char *role, const char *password)
{
    uint8_t salt[16];
    char salt_text[SALT_CHARS + 1];
    char hash[HASH_CHARS + 1];
    sy_store_random_uuid(server, salt);
    put_hex(salt_text, salt, sizeof(salt));
    make_hash(salt_text, password, hash);
    const struct sy_value value = {.len = HASH_CHARS, .bytes = (const uint8_t *)hash};
    const struct sy_cell_write cell = cell_of(server, "salted_hash", value);
    return write_cells(server, role, &cell, 1);
}

void sy_roles_open(struct sy_server *server)
{
    static const uint8_t yes[] = {1};
    const struct sy_value truth = {.len = 1, .bytes = yes};
    if (find_role(server, NULL).any)
        return;
    const struct sy_cell_write cells[] = {cell_of(server, "can_login", truth),
                                          cell_of(server, "is_superuser", truth)};
    if (!write_cells(server, "cassandra", cells, 2) ||
        !sy_store_set_password(server, "cassandra", "cassandra"))
        fprintf(stderr, "sluice-sim-scylla: the role cassandra could not be made\n");
}
