/* SPDX-License-Identifier: Apache-2.0 */
/* Options, hints and clauses: each has its effect or is refused by name; none is taken in silence. */
#include "harness.h"

#include <stdio.h>

static void textsize_cuts_large_values_and_no_others(void **state)
{
    struct harness *h = *state;
    assert_answers(h,
                   "SET TEXTSIZE 4; SELECT CAST('abcdefgh' AS varchar(max)), CAST(N'z\xc3\xab"
                   "rdefgh' AS nvarchar(max)), CAST(0x010203040506 AS varbinary(max)), 'abcdefgh'",
                   "# varchar(max), nvarchar(max), varbinary(max), varchar(8)\n"
                   "'abcd'|'z\xc3\xab'|0x01020304|'abcdefgh'\n(1)\n");
    assert_answers(h, "SET TEXTSIZE -1; SELECT @@TEXTSIZE", "# int null\n2147483647\n(1)\n");
}

static void datefirst_moves_weekdays_and_weeks(void **state)
{
    struct harness *h = *state; /* 2024-01-07 was a Sunday */
    assert_answers(h, "SELECT DATEPART(weekday, '2024-01-07'), DATEPART(week, '2024-01-07')",
                   "# int null, int null\n1|2\n(1)\n");
    assert_answers(h, "SET DATEFIRST 1; SELECT DATEPART(weekday, '2024-01-07'), DATEPART(week, '2024-01-07')",
                   "# int null, int null\n7|1\n(1)\n");
    assert_answers(h, "SELECT DATEDIFF(week, '2024-01-06', '2024-01-07')", "# int null\n1\n(1)\n");
    assert_answers(h, "SET DATEFIRST 8", "! 2744 16 line 1: SET DATEFIRST 8 is out of range.\n");
}

static void fmtonly_gives_shapes_and_does_nothing(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (id int NOT NULL)", "");
    assert_answers(h,
                   "SET FMTONLY ON; INSERT t VALUES (1); IF 1 = 0 SELECT id FROM t ELSE SELECT 'x' AS s; "
                   "SET FMTONLY OFF",
                   "# id int\n(0)\n# s varchar(1)\n(0)\n");
    assert_answers(h, "SELECT COUNT(*) FROM t", "# int\n0\n(1)\n");
}

static void noexec_compiles_and_parseonly_parses(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (id int NOT NULL)", "");
    assert_answers(h, "SET NOEXEC ON; INSERT t VALUES (1)", "");
    assert_answers(h, "SELECT 1; SELECT nope FROM t", "! 207 16 line 1: Invalid column name 'nope'.\n");
    assert_answers(h, "SET NOEXEC OFF; SELECT COUNT(*) FROM t", "# int\n0\n(1)\n");
    assert_answers(h, "INSERT t VALUES (1); SET PARSEONLY ON", "");
    assert_answers(h, "SELECT 1; SELECT nope FROM t", "");
    assert_answers(h, "SELECT 1 +", "! 102 15 line 1: Incorrect syntax near '+'.\n");
    assert_answers(h, "SET PARSEONLY OFF", "");
    assert_answers(h, "SELECT COUNT(*) FROM t", "# int\n0\n(1)\n");
}

static void quoted_identifier_off_makes_strings(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "SET QUOTED_IDENTIFIER OFF", "");
    assert_answers(h, "SELECT \"a b\" AS [c]", "# c varchar(3)\n'a b'\n(1)\n");
    assert_answers(h, "SET QUOTED_IDENTIFIER ON", "");
    assert_answers(h, "SELECT \"a b\" AS [c]", "! 207 16 line 1: Invalid column name 'a b'.\n");
}

static void a_bad_column_is_found_before_anything_runs(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (id int NOT NULL)", "");
    assert_answers(h, "INSERT t VALUES (1)\nSELECT nope FROM t",
                   "! 207 16 line 2: Invalid column name 'nope'.\n");
    assert_answers(h, "INSERT t VALUES (1); IF 1 = 0 UPDATE t SET id = nope",
                   "! 207 16 line 1: Invalid column name 'nope'.\n");
    assert_answers(h, "SELECT COUNT(*) FROM t", "# int\n0\n(1)\n");
    assert_answers(h, "INSERT t VALUES (1); SELECT NO_SUCH_THING(1)",
                   "! 195 15 line 1: 'NO_SUCH_THING' is not a recognized built-in function name.\n");
    assert_answers(h, "SELECT COUNT(*) FROM t", "# int\n0\n(1)\n");
    assert_answers(h, "SELECT 1; SELECT * FROM missing",
                   "# int\n1\n(1)\n! 208 16 line 1: Invalid object name 'missing'.\n");
    assert_answers(h,
                   "BEGIN TRY EXEC('SELECT 1; SELECT nope FROM t') END TRY BEGIN CATCH PRINT ERROR_NUMBER() "
                   "END CATCH",
                   "i 0: 207\n");
}

static void clr_types_are_kept_as_their_bytes(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (h hierarchyid PRIMARY KEY, g geometry, e sys.geography)", "");
    assert_answers(h, "INSERT t VALUES (0x6A, 0x01, NULL), (0x58, NULL, 0x02), (0x, NULL, NULL)", "(3)\n");
    assert_answers(h, "SELECT CAST(h AS varbinary(8)), CAST(e AS varbinary(8)) FROM t ORDER BY h",
                   "# varbinary(8), varbinary(8) null\n0x|NULL\n0x58|0x02\n0x6A|NULL\n(3)\n");
    assert_non_null(strstr(harness_run(h, "INSERT t (h) VALUES (0x58)"), "! 2627 14"));
    assert_answers(h, "SELECT COUNT(*) FROM t WHERE h = 0x6A", "# int\n1\n(1)\n");
    assert_answers(h, "INSERT t (h) VALUES ('/1/')",
                   "! 206 16 line 1: Operand type clash: varchar is incompatible with hierarchyid\n");
    assert_answers(h, "SELECT 1 FROM t WHERE g = e",
                   "! 403 16 line 1: Invalid operator for data type. Operator equals equal to, type equals "
                   "geometry.\n");
    assert_answers(
        h, "SELECT name, system_type_id, user_type_id FROM sys.columns WHERE object_id = OBJECT_ID('t')",
        "# name nvarchar(128) null, system_type_id tinyint, user_type_id int\n'h'|240|128\n"
        "'g'|240|129\n'e'|240|130\n(3)\n");
}

static void temporary_tables_keep_their_keys_and_checks(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE #a (id int, b int); CREATE UNIQUE INDEX ix ON #a (id)", "");
    assert_answers(
        h, "INSERT #a VALUES (1, 1), (1, 2)",
        "! 2601 14 line 1: Cannot insert duplicate key row in object 'dbo.#a' with unique index 'ix'. "
        "The duplicate key value is (1).\ni 3621: The statement has been terminated.\n");
    assert_answers(h, "SELECT COUNT(*) FROM #a", "# int\n0\n(1)\n");
    assert_answers(h, "CREATE INDEX ix2 ON #a (nope)",
                   "! 1911 16 line 1: Column name 'nope' does not exist in the target table or view.\n");
    assert_answers(h, "DROP INDEX ix ON #a; INSERT #a VALUES (1, 1), (1, 2)", "(2)\n");
    assert_non_null(strstr(harness_run(h, "CREATE UNIQUE INDEX ix ON #a (id)"), "! 1505 16"));
    assert_answers(h, "CREATE TABLE #c (v int CONSTRAINT ck CHECK (v > 0))", "");
    assert_non_null(strstr(harness_run(h, "INSERT #c VALUES (1), (-1)"), "CHECK constraint \"ck\""));
    assert_answers(h, "SELECT COUNT(*) FROM #c", "# int\n0\n(1)\n");
}

static void a_temporary_table_goes_with_the_transaction_that_made_it(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (id int NOT NULL)", "");
    (void)harness_run(h, "BEGIN TRAN; INSERT t VALUES (1); CREATE TABLE #w (a int); ROLLBACK");
    assert_answers(h, "SELECT * FROM #w", "! 208 16 line 1: Invalid object name '#w'.\n");
    assert_answers(h, "CREATE TABLE #w (a int); INSERT #w VALUES (1)", "(1)\n");
}

static void output_into_fills_the_named_columns(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (id int NOT NULL); INSERT t VALUES (1), (2)", "(2)\n");
    assert_answers(
        h,
        "DECLARE @o TABLE (n int IDENTITY, was int, is_now int, d int DEFAULT 7); UPDATE t SET id = id "
        "* 10 OUTPUT inserted.id, deleted.id INTO @o (is_now, was); SELECT * FROM @o",
        "(2)\n# n int, was int null, is_now int null, d int null\n1|1|10|7\n2|2|20|7\n(2)\n");
    assert_non_null(strstr(harness_run(h, "DECLARE @o TABLE (a int); DELETE t OUTPUT deleted.id INTO @o (b)"),
                           "! 207 16 line 1: Invalid column name 'b'."));
}

static void what_is_not_followed_is_refused_by_name(void **state)
{
    static const struct {
        const char *sql;
        const char *answer;
    } cases[] = {
        {"SET ANSI_NULLS OFF", "! 195 15 line 1: 'ANSI_NULLS OFF' is not a recognized SET option.\n"},
        {"SET STATISTICS IO ON", "! 195 15 line 1: 'STATISTICS IO' is not a recognized SET option.\n"},
        {"SET SHOWPLAN_ALL ON", "! 262 14 line 1: SHOWPLAN permission denied in database 'test'.\n"},
        {"SET DEADLOCK_PRIORITY BOO", "! 102 15 line 1: Incorrect syntax near 'BOO'.\n"},
        {"SELECT * FROM t OPTION (NOPE)", "! 102 15 line 1: Incorrect syntax near 'NOPE'.\n"},
        {"SELECT * FROM t WITH (READPAST)",
         "! 321 15 line 1: \"READPAST\" is not a recognized table hints option.\n"},
        {"SELECT * FROM t WITH (INDEX (nope))",
         "! 308 16 line 1: Index 'nope' on table 't' (specified in the FROM clause) does not exist.\n"},
        {"SELECT TOP (-1) * FROM t",
         "! 127 15 line 1: A TOP N or FETCH rowcount value may not be negative.\n"},
        {"SELECT id AS a, id AS a INTO #d FROM t", "! 2705 16 line 1: Column names in each table must be "
                                                   "unique. Column name 'a' in table '#d' is specified "
                                                   "more than once.\n"},
        {"SELECT 1 WHERE 'x' LIKE 'x' ESCAPE 'ab'",
         "# int\n! 506 16 line 1: The invalid escape character \"ab\" was specified in a LIKE predicate.\n"},
        {"UPDATE STATISTICS nope", "! 2706 11 line 1: Table 'nope' does not exist.\n"},
        {"RAISERROR('a', 16, 1) WITH NOPE", "! 102 15 line 1: Incorrect syntax near 'NOPE'.\n"},
        {"ALTER LOGIN sa WITH NAME = x", "! 102 15 line 1: Incorrect syntax near 'NAME'.\n"},
        {"GRANT NOPE ON t TO public", "! 102 15 line 1: Incorrect syntax near 'NOPE'.\n"},
        {"CREATE TABLE q (id int) ON nope", "! 1921 15 line 1: Invalid filegroup 'nope' specified.\n"},
        {"CREATE TABLE q (id int) WITH (SYSTEM_VERSIONING = ON)",
         "! 102 15 line 1: Incorrect syntax near 'SYSTEM_VERSIONING'.\n"},
        {"CREATE TABLE q (id int CHECK (nope > 1))", "! 207 16 line 1: Invalid column name 'nope'.\n"},
        {"ALTER TABLE t SET (SYSTEM_VERSIONING = ON)",
         "! 102 15 line 1: Incorrect syntax near 'SYSTEM_VERSIONING'.\n"},
        {"ALTER DATABASE test SET TRUSTWORTHY ON",
         "! 5058 16 line 1: Option 'TRUSTWORTHY' cannot be set in database 'test'.\n"},
        {"CREATE VIEW v AS SELECT nope FROM t", "! 207 16 line 1: Invalid column name 'nope'.\n"},
        {"CREATE VIEW v AS SELECT id FROM t nonsense WITH CHECK OPTION",
         "! 156 15 line 1: Incorrect syntax near the keyword 'CHECK'.\n"},
        {"CREATE VIEW v AS SELECT id FROM t 5", "! 102 15 line 1: Incorrect syntax near '5'.\n"},
        {"CREATE VIEW v WITH SCHEMABINDING AS SELECT id FROM t",
         "! 102 15 line 1: Incorrect syntax near 'SCHEMABINDING'.\n"},
        {"CREATE PROCEDURE q @a AS int WITH EXECUTE AS OWNER AS SELECT 1",
         "! 156 15 line 1: Incorrect syntax near the keyword 'EXECUTE'.\n"},
        {"GRANT SELECT ON t TO public WITH GRANT OPTION",
         "! 156 15 line 1: Incorrect syntax near the keyword 'GRANT'.\n"},
        {"PRINT 'a'; CREATE VIEW v AS SELECT 1 AS a",
         "! 111 15 line 1: 'CREATE/ALTER VIEW' must be the first statement in a query batch.\n"},
        {"CREATE SCHEMA s CREATE TABLE q (id int)",
         "! 156 15 line 1: Incorrect syntax near the keyword 'CREATE'.\n"},
    };
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (id int NOT NULL)", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_answers(h, cases[i].sql, cases[i].answer);
}

static void what_tools_write_into_scripts_is_taken(void **state)
{
    static const char *const scripts[] = {
        "SET ANSI_NULLS ON SET QUOTED_IDENTIFIER ON SET ANSI_PADDING ON",
        "CREATE TABLE q (id int NOT NULL, CONSTRAINT pk PRIMARY KEY CLUSTERED (id ASC) WITH (PAD_INDEX = "
        "OFF, "
        "STATISTICS_NORECOMPUTE = OFF, IGNORE_DUP_KEY = OFF, ALLOW_ROW_LOCKS = ON) ON [PRIMARY]) ON "
        "[PRIMARY]",
        "SET ANSI_PADDING OFF",
        "ALTER DATABASE test SET COMPATIBILITY_LEVEL = 150",
        "ALTER DATABASE test SET TARGET_RECOVERY_TIME = 60 SECONDS",
        "UPDATE STATISTICS q WITH FULLSCAN",
        "RECONFIGURE WITH OVERRIDE",
        "CREATE NONCLUSTERED INDEX ix ON q (id DESC) WITH (FILLFACTOR = 80, ONLINE = ON)",
    };
    struct harness *h = *state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        assert_answers(h, scripts[i], "");
}

static void a_new_column_fills_old_rows_when_told_to(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "CREATE TABLE t (id int NOT NULL); INSERT t VALUES (1)", "(1)\n");
    assert_answers(
        h, "ALTER TABLE t ADD a int DEFAULT 5, b int DEFAULT 6 WITH VALUES, c int NOT NULL DEFAULT 7", "");
    assert_answers(h, "SELECT a, b, c FROM t", "# a int null, b int null, c int\nNULL|6|7\n(1)\n");
}

static void undeclared_parameters_are_described_from_where_they_stand(void **state)
{
    struct harness *h = *state;
    const char *answer;
    assert_answers(h, "CREATE TABLE t (id int IDENTITY PRIMARY KEY, a bigint, s varchar(20))", "");
    answer = harness_run(h, "EXEC sp_describe_undeclared_parameters N'INSERT t VALUES (@P1, @P2)'");
    assert_non_null(strstr(answer, "\n1|'@P1'|127|'bigint'|8|19|0|"));
    assert_non_null(strstr(answer, "\n2|'@P2'|167|'varchar(20)'|20|0|0|"));
    answer = harness_run(
        h, "EXEC sp_describe_undeclared_parameters N'UPDATE x SET a = @b FROM t x JOIN t y ON x.id "
           "= y.id WHERE y.s LIKE @c AND x.id = @d', N'@d int'");
    assert_non_null(strstr(answer, "\n1|'@b'|127|"));
    assert_non_null(strstr(answer, "\n2|'@c'|167|"));
    assert_null(strstr(answer, "@d"));
    assert_non_null(
        strstr(harness_run(h, "EXEC sp_describe_undeclared_parameters N'SELECT @x'"), "! 11503 16"));
    assert_non_null(
        strstr(harness_run(h, "EXEC sp_describe_undeclared_parameters N'SELECT 1 WHERE @x = 1 AND @x = 2'"),
               "! 11508 16"));
}

static void hashes_are_of_the_bytes_of_their_type(void **state)
{
    struct harness *h = *state;
    assert_answers(h, "SELECT HASHBYTES('MD5', 'abc'), HASHBYTES('sha1', N'abc'), HASHBYTES('SHA2_256', 0x)",
                   "# varbinary(8000) null, varbinary(8000) null, varbinary(8000) null\n"
                   "0x900150983CD24FB0D6963F7D28E17F72|0x9F04F41A848514162050E3D68C1A7ABB441DC2B5|"
                   "0xE3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\n(1)\n");
    assert_answers(h, "SELECT HASHBYTES('nope', 'abc')", "# varbinary(8000) null\nNULL\n(1)\n");
}

int main(void)
{
#define promise(name) cmocka_unit_test_setup_teardown(name, harness_open, harness_close)
    const struct CMUnitTest tests[] = {
        promise(textsize_cuts_large_values_and_no_others),
        promise(datefirst_moves_weekdays_and_weeks),
        promise(fmtonly_gives_shapes_and_does_nothing),
        promise(noexec_compiles_and_parseonly_parses),
        promise(quoted_identifier_off_makes_strings),
        promise(a_bad_column_is_found_before_anything_runs),
        promise(clr_types_are_kept_as_their_bytes),
        promise(temporary_tables_keep_their_keys_and_checks),
        promise(a_temporary_table_goes_with_the_transaction_that_made_it),
        promise(output_into_fills_the_named_columns),
        promise(what_is_not_followed_is_refused_by_name),
        promise(what_tools_write_into_scripts_is_taken),
        promise(a_new_column_fills_old_rows_when_told_to),
        promise(undeclared_parameters_are_described_from_where_they_stand),
        promise(hashes_are_of_the_bytes_of_their_type),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
