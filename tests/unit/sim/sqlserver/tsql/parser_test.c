/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "../../../../../sim/sqlserver/tsql/execute.h"

static int32_t parse(const char *sql, size_t len, size_t *ret_statements)
{
    struct ms_batch batch;
    struct ms_error err = {0};
    int line;
    size_t n = 0;
    bool ok = ms_parse_batch(sql, len, NULL, true, &batch, &line, &err);
    for (const struct ms_statement *st = batch.statements; ok && st; st = st->next)
        n++;
    ms_arena_free(&batch.arena);
    if (ret_statements)
        *ret_statements = n;
    assert_true(ok == (err.number == 0));
    return err.number;
}

static const char *const accepted[] = {
    "IF EXISTS(select 1 from sys.databases where name='x' AND is_cdc_enabled=1)\nEXEC sys.sp_cdc_disable_db",
    "IF EXISTS (SELECT 1 FROM sys.objects) DROP TABLE x CREATE TABLE x (id int identity(1,1) primary "
    "key(id))",
    "CREATE TABLE t (a int, b varchar(10) default 'x', c decimal(10,2) not null, primary key(a))",
    "CREATE TABLE t (amount integer primary key(id), id int)",
    "CREATE TABLE t (a int CONSTRAINT pk PRIMARY KEY CLUSTERED (a ASC) WITH (PAD_INDEX = OFF) ON [PRIMARY])",
    "INSERT t VALUES (1, 'a') INSERT INTO t VALUES (2, N'b'), (3, DEFAULT)",
    "INSERT INTO t DEFAULT VALUES; INSERT INTO @x EXEC sys.sp_who" /* @x: see below */,
    "SELECT TOP (5) [a b].c, x = 1, 'y' z FROM [db]..[t] AS [a b] WITH (NOLOCK) WHERE a LIKE N'%x[_]%' "
    "ESCAPE '!' OPTION(RECOMPILE)",
    "WITH c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 5) SELECT * FROM c ORDER BY n DESC OFFSET "
    "1 ROWS FETCH NEXT 2 ROWS ONLY",
    "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC) FROM t GROUP BY a, b HAVING COUNT(*) > 1",
    "UPDATE t SET a += 1, b = DEFAULT FROM t JOIN u ON t.id = u.id WHERE u.x IN (SELECT y FROM v)",
    "DELETE TOP (3) FROM t WHERE NOT a BETWEEN 1 AND 2",
    "BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW; END CATCH",
    "DECLARE @i int = 0 WHILE @i < 3 BEGIN SET @i = @i + 1 IF @i = 2 BREAK ELSE CONTINUE END",
    "DECLARE #h CURSOR LOCAL FAST_FORWARD FOR SELECT a FROM t OPEN #h FETCH NEXT FROM #h CLOSE #h DEALLOCATE "
    "#h",
    "ALTER DATABASE [x] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; ALTER TABLE t ADD c int NOT NULL DEFAULT 1",
    "ALTER TABLE t ADD CONSTRAINT d DEFAULT 'x' FOR b ALTER TABLE t DROP CONSTRAINT d",
    "CREATE UNIQUE NONCLUSTERED INDEX i ON t (a, b DESC) INCLUDE (c) WHERE a > 1",
    "IF @@TRANCOUNT = 0 BEGIN BEGIN TRAN IF @@TRANCOUNT = 2 COMMIT TRAN END SAVE TRAN S1",
    "DECLARE @r int EXEC @r = sp_executesql N'select @a', N'@a int', @a = 1 PRINT @r",
    "SELECT PARSE('2020-01-01' AS datetime2), CONVERT(varchar(10), GETDATE(), 120), CAST(1 AS decimal(5,2))",
    "SET NOCOUNT ON SET TRANSACTION ISOLATION LEVEL READ COMMITTED SET LOCK_TIMEOUT -1 SET XACT_ABORT, "
    "ANSI_NULLS ON",
    "CREATE LOGIN l WITH PASSWORD = 'p' CREATE USER u FOR LOGIN l ALTER ROLE db_owner ADD MEMBER u GRANT "
    "SELECT ON t TO u",
    "-- a comment\n/* another /* nested */ */ SELECT -1, - 1, +1, ~1, 0xAB, $1.5, 1e3, .5, N'it''s'",
    "exec sp_rename 'a.b', 'c', 'COLUMN'",
};

static void statements_as_people_write_them_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        int32_t number = parse(accepted[i], strlen(accepted[i]), NULL);
        if (strstr(accepted[i], "@x EXEC"))
            assert_int_equal(number, 137);
        else if (number != 0)
            fail_msg("error %d for: %s", number, accepted[i]);
    }
}

static void statements_need_no_semicolon_between_them(void **state)
{
    size_t n;
    (void)state;
    assert_int_equal(parse("select 1 select 2; insert t values (1) update t set a = 2 delete t", 66, &n), 0);
    assert_int_equal(n, 5);
}

static void wrong_syntax_has_sql_servers_number(void **state)
{
    static const struct {
        const char *sql;
        int32_t number;
    } cases[] = {{"select 1 from", 102},
                 {"select from t", 156},
                 {"select 'abc", 105},
                 {"/* never closed", 113},
                 {"select @nope", 137},
                 {"declare @a int declare @a int", 134},
                 {"create table t (a nosuchtype)", 2715},
                 {"break", 135},
                 {"begin select 1", 102},
                 {"select 1 +", 102},
                 {"create sequence s", 102},
                 {"declare @t int; select * from @t", 1087},
                 {"select cast(1 as int(3))", 2716},
                 {"merge t using u on 1=1 when matched then delete;", 156}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t number = parse(cases[i].sql, strlen(cases[i].sql), NULL);
        if (number != cases[i].number)
            fail_msg("error %d instead of %d for: %s", number, cases[i].number, cases[i].sql);
    }
}

static void deep_nesting_is_an_error_and_no_crash(void **state)
{
    static const char *const openers[] = {"(", "-", "not ", "case when ", "(select "};
    struct ms_buffer sql = {0};
    (void)state;
    for (size_t o = 0; o < sizeof openers / sizeof openers[0]; o++) {
        sql.len = 0;
        ms_buffer_text(&sql, o == 2 ? "if " : "select ");
        for (int i = 0; i < 20000; i++)
            ms_buffer_text(&sql, openers[o]);
        ms_buffer_text(&sql, "1");
        assert_int_not_equal(parse(sql.data, sql.len, NULL), 0);
    }
    ms_buffer_free(&sql);
}

static void long_chains_are_an_error_and_no_crash(void **state)
{
    static const char *const links[] = {" + 1", " * 1", " AND 1 = 1", " OR 1 = 1"};
    struct ms_buffer sql = {0};
    (void)state;
    for (size_t l = 0; l < sizeof links / sizeof links[0]; l++) {
        sql.len = 0;
        ms_buffer_text(&sql, l < 2 ? "SELECT 1" : "IF 1 = 1");
        for (int i = 0; i < 100000; i++)
            ms_buffer_text(&sql, links[l]);
        assert_int_equal(parse(sql.data, sql.len, NULL), 8631);
    }
    ms_buffer_free(&sql);
}

static void damaged_statements_never_crash(void **state)
{
    uint64_t seed = 42;
    char text[512];
    (void)state;
    for (int round = 0; round < 20000; round++) {
        const char *sql = accepted[(size_t)round % (sizeof accepted / sizeof accepted[0])];
        size_t len = strlen(sql);
        memcpy(text, sql, len);
        for (int change = 0; change < 3; change++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(seed >> 33) % len;
            unsigned how = (unsigned)(seed >> 20) % 4;
            if (how == 0)
                text[at] = (char)(seed >> 40);
            else if (how == 1)
                len = at + 1;
            else if (how == 2)
                memmove(text + at, text + at + 1, len - at - 1), len -= len > 1;
            else
                text[at] = "()[]'\",;.@#=<>"[(seed >> 45) % 14];
        }
        (void)parse(text, len, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_as_people_write_them_parse),
        cmocka_unit_test(statements_need_no_semicolon_between_them),
        cmocka_unit_test(wrong_syntax_has_sql_servers_number),
        cmocka_unit_test(deep_nesting_is_an_error_and_no_crash),
        cmocka_unit_test(long_chains_are_an_error_and_no_crash),
        cmocka_unit_test(damaged_statements_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
