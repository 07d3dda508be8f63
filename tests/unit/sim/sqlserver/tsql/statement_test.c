/* SPDX-License-Identifier: Apache-2.0 */
/* Each kind of statement, run on a real server of its own. */
#include "harness.h"

#include <stdio.h>

static void expressions_have_sql_servers_types_and_values(void **state)
{
    struct harness *h = *state;
    assert_answers(
        h, "SELECT 7/2, 7.0/2, 5 % 3, 'a' + N'b', CAST(1 AS bigint) + 1, 2147483647 + CAST(1 AS bigint)",
        "# int, numeric(13,12), int, nvarchar(2), bigint, "
        "bigint\n3|3.500000000000|2|'ab'|2|2147483648\n(1)\n");
    assert_answers(h, "SELECT ISNULL(NULL, 'abc'), COALESCE(NULL, 2), NULLIF(1, 1), IIF(1 = 2, 'y', 'n')",
                   "# varchar(3), int, int null, varchar(1)\n'abc'|2|NULL|'n'\n(1)\n");
    assert_answers(h,
                   "SELECT CASE WHEN 'a ' = 'A' THEN 1 ELSE 0 END, CASE WHEN NULL = NULL THEN 1 ELSE 0 END",
                   "# int, int\n1|0\n(1)\n");
    assert_answers(
        h, "SELECT DATEDIFF(day, '2020-01-01', '2020-03-01'), DATEADD(month, 1, CAST('2020-01-31' AS date))",
        "# int null, date null\n60|2020-02-29\n(1)\n");
}

static void a_table_takes_rows_and_gives_them_back(void **state)
{
    struct harness *h = *state;
    assert_answers(
        h,
        "CREATE TABLE people (id int IDENTITY(10,5) PRIMARY KEY, name nvarchar(20) NOT NULL, pay "
        "decimal(10,2) DEFAULT 1.5) INSERT people (name) VALUES (N'Ann'), (N'Zo\xc3\xab') INSERT INTO people "
        "VALUES ('Bob', 2.255)",
        "(2)\n(1)\n");
    assert_answers(
        h, "SELECT * FROM people ORDER BY name DESC",
        "# id int, name nvarchar(20), pay decimal(10,2) null\n15|'Zo\xc3\xab'|1.50\n20|'Bob'|2.26\n"
        "10|'Ann'|1.50\n(3)\n");
    assert_answers(h, "UPDATE people SET pay *= 2, name = UPPER(name) WHERE ID = 10 SELECT @@ROWCOUNT",
                   "(1)\n# int null\n1\n(1)\n");
    assert_answers(h, "DELETE p FROM people p JOIN (SELECT 20 AS k) x ON x.k = p.id", "(1)\n");
    assert_answers(h, "SELECT COUNT(*), SUM(pay), MIN(name), AVG(id) FROM people",
                   "# int, decimal(38,2) null, nvarchar(20) null, int null\n2|4.50|'ANN'|12\n(1)\n");
    assert_answers(h, "SELECT SCOPE_IDENTITY(), @@IDENTITY",
                   "# numeric(38,0) null, numeric(38,0) null\nNULL|20\n(1)\n");
}

static void constraint_errors_end_the_statement_and_not_the_batch(void **state)
{
    struct harness *h = *state;
    assert_answers(h,
                   "CREATE TABLE p (id int CONSTRAINT pk PRIMARY KEY, q int CONSTRAINT ck CHECK (q > 0)) "
                   "CREATE TABLE c (pid int CONSTRAINT fk REFERENCES p(id), s varchar(3) NOT NULL)",
                   "");
    assert_answers(
        h, "INSERT p VALUES (1, 1), (1, 2) SELECT COUNT(*) FROM p",
        "! 2627 14 line 1: Violation of PRIMARY KEY constraint 'pk'. Cannot insert duplicate key in object "
        "'dbo.p'. The duplicate key value is (1).\ni 3621: The statement has been terminated.\n# "
        "int\n0\n(1)\n");
    assert_non_null(strstr(harness_run(h, "INSERT p VALUES (1, -1)"),
                           "! 547 16 line 1: The INSERT statement "
                           "conflicted with the CHECK constraint \"ck\"."));
    assert_non_null(strstr(harness_run(h, "INSERT c VALUES (5, 'x')"), "FOREIGN KEY constraint \"fk\""));
    assert_non_null(strstr(harness_run(h, "INSERT c VALUES (NULL, NULL)"), "! 515 16"));
    assert_non_null(strstr(
        harness_run(h, "INSERT c VALUES (NULL, 'long')"),
        "! 2628 16 line 1: String or binary data would be truncated in table 'test.dbo.c', column 's'. "
        "Truncated value: 'lon'."));
    assert_answers(h, "INSERT p VALUES (1, 1), (2, 2) UPDATE p SET id = id + 1 SELECT id FROM p",
                   "(2)\n(2)\n# id int\n2\n3\n(2)\n");
}

static void conversion_errors_end_the_batch_and_roll_back(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE v (a int)", "");
    assert_answers(
        h, "BEGIN TRAN INSERT v VALUES (1) SELECT CAST('x' AS int) SELECT 'never'",
        "(1)\n# int\n! 245 16 line 1: Conversion failed when converting the varchar value 'x' to data type "
        "int.\n");
    assert_answers(h, "SELECT @@TRANCOUNT, COUNT(*) FROM v", "# int null, int\n0|0\n(1)\n");
}

static void unknown_things_are_named_with_their_number(void **state)
{
    static const struct {
        const char *sql;
        const char *answer;
    } cases[] = {
        {"SELECT * FROM nope", "! 208 16 line 1: Invalid object name 'nope'.\n"},
        {"SELECT * FROM [test].cdc.[fn_cdc_get_all_changes_x](1,2,3)",
         "! 208 16 line 1: Invalid object name 'test.cdc.fn_cdc_get_all_changes_x'.\n"},
        {"SELECT nope FROM sys.tables", "! 207 16 line 1: Invalid column name 'nope'.\n"},
        {"SELECT x.nope FROM sys.tables t",
         "! 4104 16 line 1: The multi-part identifier \"x.nope\" could not be bound.\n"},
        {"SELECT nope(1)", "! 195 15 line 1: 'nope' is not a recognized built-in function name.\n"},
        {"EXEC nope", "! 2812 16 line 1: Could not find stored procedure 'nope'.\n"},
        {"SET NOPE ON", "! 195 15 line 1: 'NOPE' is not a recognized SET option.\n"},
        {"\nSELECT 1 +", "! 102 15 line 2: Incorrect syntax near '+'.\n"},
        {"SELECT name FROM sys.tables GROUP BY object_id",
         "! 8120 16 line 1: Column 'tables.name' is invalid in the select list because it is not contained "
         "in either an "
         "aggregate function or the GROUP BY clause.\n"},
        {"CREATE SEQUENCE s", "! 102 15 line 1: Incorrect syntax near 'SEQUENCE'.\n"},
        {"USE nope", NULL},
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (cases[i].answer)
            assert_answers(h, cases[i].sql, cases[i].answer);
        else
            assert_non_null(strstr(harness_run(h, cases[i].sql), "! 911"));
}

static void control_flow_runs_as_written(void **state)
{
    struct harness *h = *state;
    assert_answers(h,
                   "DECLARE @i int = 0\nWHILE @i < 5\nBEGIN\n SET @i += 1\n IF @i = 2 CONTINUE\n IF @i = 4 "
                   "BREAK\n PRINT "
                   "@i\nEND",
                   "i 0: 1\ni 0: 3\n");
    assert_answers(h,
                   "BEGIN TRY SELECT 1/0 PRINT 'never' END TRY BEGIN CATCH SELECT ERROR_NUMBER(), "
                   "ERROR_LINE() END CATCH",
                   "# int\n# int null, int null\n8134|1\n(1)\n");
    assert_answers(h,
                   "BEGIN TRY THROW 50001, 'mine', 3 END TRY BEGIN CATCH PRINT ERROR_MESSAGE(); THROW END "
                   "CATCH PRINT 'x'",
                   "i 0: mine\n! 50001 16 line 1: mine\n");
    assert_answers(h, "RAISERROR('%s is %d', 16, 1, 'x', 7) PRINT 'goes on'",
                   "! 50000 16 line 1: x is 7\ni 0: goes on\n");
    assert_answers(h, "GOTO there PRINT 'no' there: PRINT 'yes' RETURN PRINT 'no'", "i 0: yes\n");
}

static void transactions_nest_and_roll_back_to_savepoints(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE n (a int)", "");
    assert_answers(h,
                   "BEGIN TRAN INSERT n VALUES (1) SAVE TRAN s INSERT n VALUES (2) ROLLBACK TRAN s COMMIT "
                   "SELECT * FROM n",
                   "(1)\n(1)\n# a int null\n1\n(1)\n");
    assert_answers(
        h, "BEGIN TRAN BEGIN TRAN SELECT @@TRANCOUNT COMMIT SELECT @@TRANCOUNT ROLLBACK SELECT @@TRANCOUNT",
        "# int null\n2\n(1)\n# int null\n1\n(1)\n# int null\n0\n(1)\n");
    assert_answers(h,
                   "SET IMPLICIT_TRANSACTIONS ON INSERT n VALUES (3) SELECT @@TRANCOUNT ROLLBACK SET "
                   "IMPLICIT_TRANSACTIONS OFF",
                   "(1)\n# int null\n1\n(1)\n");
    assert_answers(h, "SET XACT_ABORT ON BEGIN TRAN INSERT n VALUES (4) SELECT 1/0 PRINT 'never'",
                   "(1)\n# int\n! 8134 16 line 1: Divide by zero error encountered.\n");
    assert_answers(h, "SET XACT_ABORT OFF SELECT @@TRANCOUNT, COUNT(*) FROM n",
                   "# int null, int\n0|1\n(1)\n");
}

static void queries_join_group_order_and_recurse(void **state)
{
    struct harness *h = *state;
    assert_answers(h,
                   "CREATE TABLE a (k int, v varchar(5)) CREATE TABLE b (k int, w int) INSERT a VALUES "
                   "(1,'x'),(2,'X'),(3,NULL) "
                   "INSERT b VALUES (2, 20), (4, 40)",
                   "(3)\n(2)\n");
    assert_answers(h, "SELECT a.k, b.k FROM a FULL JOIN b ON a.k = b.k ORDER BY 1, 2",
                   "# k int null, k int null\nNULL|4\n1|NULL\n2|2\n3|NULL\n(4)\n");
    assert_answers(h, "SELECT v, COUNT(*) n FROM a GROUP BY v HAVING COUNT(*) > 1",
                   "# v varchar(5) null, n int\n'x'|2\n(1)\n");
    assert_answers(h, "SELECT TOP 1 WITH TIES v FROM a WHERE v IS NOT NULL ORDER BY v",
                   "# v varchar(5) null\n'x'\n'X'\n(2)\n");
    assert_answers(h, "SELECT TOP (1) WITH TIES v, COUNT(*) n FROM a GROUP BY v ORDER BY COUNT(*) DESC",
                   "# v varchar(5) null, n int\n'x'|2\n(1)\n");
    assert_answers(h, "SELECT TOP (50) PERCENT k FROM a ORDER BY k DESC", "# k int null\n3\n2\n(2)\n");
    assert_answers(h, "SELECT COUNT(*) FROM (SELECT TOP 100 PERCENT k FROM a ORDER BY k) t",
                   "# int\n3\n(1)\n");
    assert_answers(h, "SELECT TOP 1 WITH TIES k FROM a",
                   "! 1062 15 line 1: The TOP N WITH TIES clause is not allowed without a corresponding "
                   "ORDER BY clause.\n");
    assert_answers(h, "SELECT DISTINCT v FROM a WHERE v LIKE '[w-y]' OR v IS NULL ORDER BY v",
                   "# v varchar(5) null\nNULL\n'x'\n(2)\n");
    assert_answers(h,
                   "WITH c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4) SELECT SUM(n) FROM c",
                   "# int null\n10\n(1)\n");
    assert_answers(h, "SELECT k FROM (SELECT k, ROW_NUMBER() OVER (ORDER BY k DESC) r FROM a) x WHERE r = 1",
                   "# k int null\n3\n(1)\n");
    assert_answers(
        h, "SELECT TOP 1 k FROM a WHERE k IN (SELECT k FROM b) AND EXISTS (SELECT 1 FROM b WHERE b.k = a.k)",
        "# k int null\n2\n(1)\n");
    assert_answers(
        h, "SELECT k FROM a UNION SELECT w FROM b ORDER BY k DESC OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
        "# k int null\n20\n3\n(2)\n");
    assert_answers(
        h,
        "DECLARE @s varchar(50) = '' SELECT @s = @s + CAST(k AS varchar(5)) + ';' FROM a ORDER BY k PRINT @s",
        "i 0: 1;2;3;\n");
}

static void temporary_tables_and_variables_belong_to_their_session(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE #t (a int PRIMARY KEY) INSERT #t VALUES (1),(2)", "(2)\n");
    assert_answers(h,
                   "DECLARE @t TABLE (a int, b varchar(5) DEFAULT 'd') INSERT @t (a) SELECT a FROM #t UPDATE "
                   "@t SET b = 'u' "
                   "WHERE a = 2 SELECT * FROM @t",
                   "(2)\n(1)\n# a int null, b varchar(5) null\n1|'d'\n2|'u'\n(2)\n");
    struct ms_session *other = harness_login(h);
    printer_clear(&h->printer);
    ms_session_batch(other, "SELECT * FROM #t", 16, &h->printer.sink);
    assert_string_equal(h->printer.text.data, "! 208 16 line 1: Invalid object name '#t'.\n");
    ms_session_close(other);
}

static void procedures_take_arguments_and_return_outputs(void **state)
{
    struct harness *h = *state;
    assert_answers(h,
                   "CREATE PROCEDURE dbo.pp @a int = 3, @b varchar(10) OUTPUT AS SET @b = 'got ' + CAST(@a "
                   "AS varchar(5)) RETURN 7",
                   "");
    assert_answers(h, "DECLARE @o varchar(10), @rc int EXEC @rc = pp 5, @b = @o OUTPUT SELECT @o, @rc",
                   "# varchar(10) null, int null\n'got 5'|7\n(1)\n");
    assert_answers(h,
                   "DECLARE @n int EXEC sp_executesql N'SET @r = @x * 2', N'@x int, @r int OUTPUT', 21, @n "
                   "OUTPUT PRINT @n",
                   "i 0: 42\n");
    assert_answers(h, "EXEC pp @zz = 1", "! 8145 16 line 1: @zz is not a parameter for procedure pp.\n");
    assert_answers(h,
                   "DECLARE c CURSOR FOR SELECT 1 UNION ALL SELECT 2 OPEN c DECLARE @i int FETCH NEXT FROM c "
                   "INTO @i WHILE "
                   "@@FETCH_STATUS = 0 BEGIN PRINT @i FETCH NEXT FROM c INTO @i END CLOSE c DEALLOCATE c",
                   "i 0: 1\ni 0: 2\n");
}

static void prepared_statements_run_by_handle(void **state)
{
    struct harness *h = *state;
    struct ms_column integer = {.name = "", .type = {.id = MS_INT}, .nullable = true};
    struct ms_column text = {.name = "", .type = {.id = MS_NVARCHAR, .length = 100}, .nullable = true};
    const char *declaration = "@P0 int", *sql = "SELECT @P0 + 1";
    struct ms_param params[4] = {{.column = integer, .value = {.is_null = true}, .output = true},
                                 {.column = text, .value = {.len = 7, .bytes = (const uint8_t *)declaration}},
                                 {.column = text, .value = {.len = 14, .bytes = (const uint8_t *)sql}},
                                 {.column = integer, .value = {.i = 41}}};
    printer_clear(&h->printer);
    ms_session_call(h->session, "sp_prepexec", params, 4, &h->printer.sink);
    assert_string_equal(h->printer.text.data, "# int null\n42\n(1)\nstatus 0\nout  = 1\n");
    struct ms_param again[2] = {{.column = integer, .value = {.i = 1}},
                                {.column = integer, .value = {.i = 7}}};
    printer_clear(&h->printer);
    ms_session_call(h->session, "sp_execute", again, 2, &h->printer.sink);
    assert_string_equal(h->printer.text.data, "# int null\n8\n(1)\nstatus 0\n");
    ms_session_call(h->session, "sp_unprepare", again, 1, &h->printer.sink);
    printer_clear(&h->printer);
    ms_session_call(h->session, "sp_execute", again, 2, &h->printer.sink);
    assert_non_null(strstr(h->printer.text.data, "! 8179"));
}

static void defaults_are_kept_in_normal_form(void **state)
{
    struct harness *h = *state;
    assert_answers(
        h,
        "CREATE TABLE d (a int DEFAULT 1, b varchar(9) DEFAULT 'it''s', c float DEFAULT 1.2345e3, e datetime "
        "DEFAULT "
        "GETDATE(), f int DEFAULT -1, g nvarchar(5) DEFAULT N'x', h int CHECK (h > 0 AND h IN (1, 2)))",
        "");
    assert_answers(h,
                   "SELECT definition FROM sys.default_constraints WHERE parent_object_id = OBJECT_ID('d') "
                   "ORDER BY parent_column_id",
                   "# definition nvarchar(max) "
                   "null\n'((1))'\n'('it''s')'\n'((1.2345000000000000e+003))'\n'(getdate())'\n"
                   "'((-1))'\n'(N'x')'\n(6)\n");
}

static void many_arms_of_a_union_stand_side_by_side(void **state)
{
    struct harness *h = *state;
    struct ms_buffer sql = {0};
    ms_buffer_text(&sql, "SELECT COUNT(*), MAX(n) FROM (SELECT 0 AS n");
    for (int i = 1; i <= 300; i++)
        ms_buffer_format(&sql, " UNION ALL SELECT %d", i);
    ms_buffer_text(&sql, ") x");
    assert_answers(h, sql.data, "# int, int null\n301|300\n(1)\n");
    ms_buffer_free(&sql);
    assert_answers(h, "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT '3' UNION SELECT 1 ORDER BY 1",
                   "# int\n1\n2\n3\n(3)\n");
}

static void varchar_meets_nvarchar_in_unicode_order(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE o (k varchar(9)) INSERT o VALUES ('a-b'), ('ab')", "(2)\n");
    assert_answers(h, "SELECT CASE WHEN (SELECT MIN(k) FROM o) = 'a-b' THEN 1 ELSE 0 END", "# int\n1\n(1)\n");
    assert_answers(h, "SELECT k FROM o WHERE k > 'aa'", "# k varchar(9) null\n'ab'\n(1)\n");
    assert_answers(h, "SELECT k FROM o WHERE k > N'aa' ORDER BY k",
                   "# k varchar(9) null\n'a-b'\n'ab'\n(2)\n");
    assert_answers(h, "SELECT k FROM o WHERE k = N'A-B'", "# k varchar(9) null\n'a-b'\n(1)\n");
}

static void an_offline_database_gives_nothing(void **state)
{
    static const char answer[] =
        "! 942 14 line 1: Database 'other' cannot be opened because it is offline.\n";
    struct harness *h = *state;
    assert_answers(h, "CREATE DATABASE other", "");
    assert_answers(h, "SELECT COUNT(*) FROM other.sys.tables", "# int\n0\n(1)\n");
    assert_answers(h, "ALTER DATABASE other SET OFFLINE WITH ROLLBACK IMMEDIATE", "");
    assert_answers(h, "SELECT COUNT(*) FROM other.sys.tables", answer);
    assert_answers(h, "SELECT other.sys.fn_cdc_get_max_lsn()", answer);
    assert_answers(h, "ALTER DATABASE other SET ONLINE", "");
    assert_answers(h, "SELECT COUNT(*) FROM other.sys.tables", "# int\n0\n(1)\n");
}

static void damaged_statements_never_bring_the_server_down(void **state)
{
    static const char *const seeds[] = {
        "SELECT a.k, COUNT(*) FROM a LEFT JOIN b ON a.k = b.k WHERE v LIKE 'x%' GROUP BY a.k ORDER BY 1",
        "UPDATE a SET v = 'q' + CAST(k AS varchar(3)) WHERE k BETWEEN 1 AND 2",
        "INSERT a SELECT k + 1, SUBSTRING(v, 1, 2) FROM a WHERE k < 5",
        "DECLARE @t TABLE (x int) INSERT @t VALUES (1) SELECT x / 0.5, DATEADD(day, x, '2020-01-01') FROM @t",
        "WITH c AS (SELECT k, ROW_NUMBER() OVER (PARTITION BY v ORDER BY k) r FROM a) SELECT MAX(r) FROM c",
        "BEGIN TRY SELECT CONVERT(varchar(10), 1.5) END TRY BEGIN CATCH ROLLBACK END CATCH"};
    struct harness *h = *state;
    uint64_t seed = 7;
    char text[256];
    for (int round = 0; round < 3000; round++) {
        const char *sql = seeds[(size_t)round % (sizeof seeds / sizeof seeds[0])];
        size_t len = strlen(sql);
        memcpy(text, sql, len + 1);
        for (int change = 0; change < 2; change++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(seed >> 33) % len;
            if (seed & 1 << 20)
                text[at] = "()',.@*=<1aNk "[(seed >> 45) % 14];
            else
                memmove(text + at, text + at + 1, len - at);
        }
        (void)harness_run(h, text);
    }
    (void)harness_run(h, "IF @@TRANCOUNT > 0 ROLLBACK");
    assert_answers(h, "SELECT 1", "# int\n1\n(1)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_sql_servers_types_and_values),
        cmocka_unit_test(a_table_takes_rows_and_gives_them_back),
        cmocka_unit_test(constraint_errors_end_the_statement_and_not_the_batch),
        cmocka_unit_test(conversion_errors_end_the_batch_and_roll_back),
        cmocka_unit_test(unknown_things_are_named_with_their_number),
        cmocka_unit_test(control_flow_runs_as_written),
        cmocka_unit_test(transactions_nest_and_roll_back_to_savepoints),
        cmocka_unit_test(queries_join_group_order_and_recurse),
        cmocka_unit_test(temporary_tables_and_variables_belong_to_their_session),
        cmocka_unit_test(procedures_take_arguments_and_return_outputs),
        cmocka_unit_test(prepared_statements_run_by_handle),
        cmocka_unit_test(defaults_are_kept_in_normal_form),
        cmocka_unit_test(varchar_meets_nvarchar_in_unicode_order),
        cmocka_unit_test(an_offline_database_gives_nothing),
        cmocka_unit_test(many_arms_of_a_union_stand_side_by_side),
        cmocka_unit_test(damaged_statements_never_bring_the_server_down),
    };
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
