// SPDX-License-Identifier: Apache-2.0

// go-mssqldb. See README.md for the job.
package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/golang-sql/civil"
	mssql "github.com/microsoft/go-mssqldb"
)

type param struct {
	Type  string  `json:"type"`
	Value *string `json:"value"`
}

type step struct {
	Op     string    `json:"op"`
	SQL    string    `json:"sql"`
	Params []param   `json:"params"`
	Runs   [][]param `json:"runs"`
}

type job struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	User     string `json:"user"`
	Password string `json:"password"`
	Encrypt  bool   `json:"encrypt"`
	Steps    []step `json:"steps"`
}

type result struct {
	Columns []string    `json:"columns"`
	Rows    [][]*string `json:"rows"`
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

type player struct {
	job  job
	conn *sql.Conn
	tx   *sql.Tx
}

var background = context.Background()

func open(j job, password string) (*sql.Conn, error) {
	encrypt := "disable"
	if j.Encrypt {
		encrypt = "true"
	}
	address := url.URL{Scheme: "sqlserver", User: url.UserPassword(j.User, password),
		Host: fmt.Sprintf("%s:%d", j.Host, j.Port),
		RawQuery: url.Values{"encrypt": {encrypt}, "TrustServerCertificate": {"true"}, "database": {"master"},
			"connection timeout": {"20"}}.Encode()}
	db, err := sql.Open("sqlserver", address.String())
	if err != nil {
		return nil, err
	}
	return db.Conn(background)
}

func toText(value any, kind string) *string {
	var text string
	switch v := value.(type) {
	case nil:
		return nil
	case bool:
		text = "0"
		if v {
			text = "1"
		}
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		text = timeText(v, kind)
	case []byte:
		text = bytesText(v, kind)
	default:
		text = fmt.Sprint(v)
	}
	return &text
}

func timeText(v time.Time, kind string) string {
	switch kind {
	case "DATE":
		return v.Format("2006-01-02")
	case "TIME":
		return v.Format("15:04:05.0000000")
	case "DATETIMEOFFSET":
		return v.Format("2006-01-02T15:04:05.0000000-07:00")
	}
	return v.Format("2006-01-02T15:04:05.0000000")
}

func bytesText(v []byte, kind string) string {
	switch kind {
	case "UNIQUEIDENTIFIER":
		var id mssql.UniqueIdentifier
		if id.Scan(v) == nil {
			return id.String()
		}
	case "DECIMAL", "NUMERIC", "MONEY", "SMALLMONEY":
		return string(v)
	}
	return strings.ToUpper(hex.EncodeToString(v))
}

func readSet(rows *sql.Rows) (result, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return result{}, err
	}
	set := result{Columns: []string{}, Rows: [][]*string{}}
	for _, t := range types {
		set.Columns = append(set.Columns, t.Name())
	}
	for rows.Next() {
		values, pointers := make([]any, len(types)), make([]any, len(types))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return set, err
		}
		row := make([]*string, len(types))
		for i, t := range types {
			row[i] = toText(values[i], t.DatabaseTypeName())
		}
		set.Rows = append(set.Rows, row)
	}
	return set, rows.Err()
}

func number(err error) any {
	var server mssql.Error
	if errors.As(err, &server) {
		return server.Number
	}
	return err.Error()
}

// Every result set; an error ends them.
func readAll(rows *sql.Rows, err error) map[string]any {
	results := []result{}
	if err != nil {
		return map[string]any{"results": results, "error": number(err)}
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		set, err := readSet(rows)
		if len(set.Columns) > 0 {
			results = append(results, set)
		}
		if err != nil {
			return map[string]any{"results": results, "error": number(err)}
		}
	}
	if err := rows.Err(); err != nil {
		return map[string]any{"results": results, "error": number(err)}
	}
	return map[string]any{"results": results}
}

func clock(text string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.9999999Z07:00", "2006-01-02T15:04:05.9999999", "15:04:05.9999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	panic("not a time: " + text)
}

func toNative(p param) any {
	if p.Value == nil {
		switch p.Type {
		case "binary", "varbinary", "image":
			return []byte(nil)
		case "int", "bigint", "smallint", "tinyint", "bit":
			return sql.NullInt64{}
		case "float", "real":
			return sql.NullFloat64{}
		case "date", "datetime", "datetime2", "datetimeoffset", "smalldatetime":
			return sql.NullTime{}
		}
		return sql.NullString{}
	}
	text := *p.Value
	switch p.Type {
	case "bit":
		return text == "1"
	case "tinyint", "smallint", "int", "bigint":
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	case "real", "float":
		f, _ := strconv.ParseFloat(text, 64)
		return f
	case "binary", "varbinary", "image":
		b, _ := hex.DecodeString(text)
		return b
	case "uniqueidentifier":
		var id mssql.UniqueIdentifier
		_ = id.Scan(text)
		return id
	case "date":
		d, _ := civil.ParseDate(text)
		return d
	case "time":
		return civil.TimeOf(clock(text))
	case "datetime", "smalldatetime":
		return mssql.DateTime1(clock(text))
	case "datetime2":
		return civil.DateTimeOf(clock(text))
	case "datetimeoffset":
		return mssql.DateTimeOffset(clock(text))
	}
	return text // decimals too: the server converts
}

func natives(params []param) []any {
	values := []any{}
	for _, p := range params {
		values = append(values, toNative(p))
	}
	return values
}

func placeMarks(text string, n int) string {
	for i := 0; i < n; i++ {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), fmt.Sprintf("@p%d", i+1))
	}
	return text
}

func (p *player) target() querier {
	if p.tx != nil {
		return p.tx
	}
	return p.conn
}

func (p *player) prepared(s step) map[string]any {
	runs := []any{}
	statement, err := p.conn.PrepareContext(background, placeMarks(s.SQL, len(s.Runs[0])))
	if err != nil {
		return map[string]any{"error": number(err)}
	}
	defer statement.Close()
	for _, params := range s.Runs {
		runs = append(runs, readAll(statement.QueryContext(background, natives(params)...))["results"])
	}
	return map[string]any{"runs": runs}
}

func (p *player) transact(op string) map[string]any {
	var err error
	switch op {
	case "begin":
		p.tx, err = p.conn.BeginTx(background, nil)
	case "commit":
		err = p.tx.Commit()
		p.tx = nil
	default:
		err = p.tx.Rollback()
		p.tx = nil
	}
	if err != nil {
		return map[string]any{"error": number(err)}
	}
	return map[string]any{}
}

func (p *player) play(s step) map[string]any {
	switch s.Op {
	case "batch":
		return readAll(p.target().QueryContext(background, s.SQL))
	case "query":
		return readAll(p.target().QueryContext(background, placeMarks(s.SQL, len(s.Params)), natives(s.Params)...))
	case "cancelled":
		// not a deadline: after one of those the driver gives up its connection too
		brief, cancel := context.WithCancel(background)
		defer time.AfterFunc(time.Second, cancel).Stop()
		_, failed := readAll(p.target().QueryContext(brief, s.SQL))["error"]
		return map[string]any{"cancelled": failed}
	case "prepared":
		return p.prepared(s)
	case "wrong_password":
		_, err := open(p.job, "not the password")
		return map[string]any{"error": number(err)}
	}
	return p.transact(s.Op)
}

func main() {
	p := &player{}
	err := json.NewDecoder(os.Stdin).Decode(&p.job)
	if err == nil {
		p.conn, err = open(p.job, p.job.Password)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := json.NewEncoder(os.Stdout)
	for _, s := range p.job.Steps {
		_ = out.Encode(p.play(s))
	}
}
