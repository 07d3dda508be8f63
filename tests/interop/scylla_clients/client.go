// SPDX-License-Identifier: Apache-2.0
// gocql and Apache's second version of it (the import path is exchanged). See README.md for the job.
package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"
)

type param struct {
	Type  string
	Value *string
}

type step struct {
	Op       string
	Cql      string
	Cqls     []string
	Page     int
	Runs     [][]param
	Keyspace string
}

type job struct {
	Hosts    []string
	Port     int
	User     string
	Password string
	Tls      bool
	Cert     string
	Lz4      bool
	Steps    []step
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A native value in the job's form; kind is the column's type, where it must be known.
func text(value interface{}, kind gocql.Type) interface{} {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case []byte:
		if v == nil {
			return nil
		}
		return hex.EncodeToString(v)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case *big.Int:
		return v.String()
	case *inf.Dec:
		return v.String()
	case gocql.UUID:
		return v.String()
	case time.Time:
		if kind == gocql.TypeDate {
			return v.UTC().Format("2006-01-02")
		}
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	case time.Duration:
		return time.Unix(0, int64(v)).UTC().Format("15:04:05.000000000")
	case net.IP:
		return v.String()
	case map[string]interface{}:
		var fields []string
		for name, field := range v {
			fields = append(fields, name+"="+plain(field))
		}
		sort.Strings(fields)
		return "<" + strings.Join(fields, ",") + ">"
	case gocql.Duration:
		return fmt.Sprintf("%dmo%dd%dns", v.Months, v.Days, v.Nanoseconds)
	}
	return compound(reflect.ValueOf(value))
}

func plain(value interface{}) string {
	return fmt.Sprint(text(value, gocql.TypeCustom))
}

func compound(v reflect.Value) interface{} {
	switch v.Kind() {
	case reflect.Ptr:
		if v.IsNil() {
			return nil
		}
		return text(v.Elem().Interface(), gocql.TypeCustom)
	case reflect.Slice:
		var all []string
		for i := 0; i < v.Len(); i++ {
			all = append(all, plain(v.Index(i).Interface()))
		}
		return "[" + strings.Join(all, ",") + "]"
	case reflect.Map:
		var all []string
		for _, key := range v.MapKeys() {
			all = append(all, plain(key.Interface())+"="+plain(v.MapIndex(key).Interface()))
		}
		sort.Strings(all)
		return "{" + strings.Join(all, ",") + "}"
	}
	return fmt.Sprint(v.Interface())
}

func native(p param) interface{} {
	if p.Value == nil {
		return nil
	}
	switch p.Type {
	case "int", "bigint", "smallint", "tinyint":
		n, err := strconv.ParseInt(*p.Value, 10, 64)
		must(err)
		return n
	case "varint":
		n, _ := new(big.Int).SetString(*p.Value, 10)
		return n
	case "double":
		n, err := strconv.ParseFloat(*p.Value, 64)
		must(err)
		return n
	case "float":
		n, err := strconv.ParseFloat(*p.Value, 32)
		must(err)
		return float32(n)
	case "decimal":
		n, _ := new(inf.Dec).SetString(*p.Value)
		return n
	case "boolean":
		return *p.Value == "true"
	case "blob":
		bytes, err := hex.DecodeString(*p.Value)
		must(err)
		return bytes
	case "uuid", "timeuuid":
		id, err := gocql.ParseUUID(*p.Value)
		must(err)
		return id
	case "timestamp":
		at, err := time.Parse("2006-01-02T15:04:05.000Z", *p.Value)
		must(err)
		return at
	case "time":
		at, err := time.Parse("15:04:05.000000000", *p.Value)
		must(err)
		return at.Sub(at.Truncate(24 * time.Hour))
	case "map<text,text>":
		made := map[string]string{}
		for _, pair := range strings.Split(strings.Trim(*p.Value, "{}"), ",") {
			sides := strings.SplitN(pair, "=", 2)
			made[sides[0]] = sides[1]
		}
		return made
	}
	return *p.Value
}

// Tuples have no Go type of their own: their columns are counted, and not shown.
func rows(iter *gocql.Iter) (map[string]interface{}, error) {
	names := []string{}
	for _, column := range iter.Columns() {
		names = append(names, column.Name)
	}
	all := [][]interface{}{}
	for {
		row := map[string]interface{}{}
		if !iter.MapScan(row) {
			break
		}
		line := []interface{}{}
		for _, column := range iter.Columns() {
			line = append(line, cell(row, column))
		}
		all = append(all, line)
	}
	return map[string]interface{}{"columns": names, "rows": all}, iter.Close()
}

func cell(row map[string]interface{}, column gocql.ColumnInfo) interface{} {
	value, found := row[column.Name]
	if found {
		return text(value, column.TypeInfo.Type())
	}
	var parts []string
	for i := 0; ; i++ {
		part, more := row[gocql.TupleColumnName(column.Name, i)]
		if !more {
			return "(" + strings.Join(parts, ",") + ")"
		}
		parts = append(parts, plain(part))
	}
}

func connect(j *job, password string) (*gocql.Session, error) {
	cluster := gocql.NewCluster(j.Hosts[0])
	cluster.Port = j.Port
	cluster.Consistency = gocql.One
	cluster.Timeout = 20 * time.Second
	cluster.ConnectTimeout = 20 * time.Second
	if j.User != "" {
		cluster.Authenticator = gocql.PasswordAuthenticator{Username: j.User, Password: password}
	}
	if j.Tls {
		cluster.SslOpts = &gocql.SslOptions{CaPath: j.Cert, EnableHostVerification: true}
	}
	if j.Lz4 {
		cluster.Compressor = compressor()
	}
	return cluster.CreateSession()
}

func failure(err error) map[string]interface{} {
	var request gocql.RequestError
	if errors.As(err, &request) {
		return map[string]interface{}{"error": request.Code(), "text": request.Message()}
	}
	return map[string]interface{}{"error": err.Error()}
}

func schema(session *gocql.Session, keyspace string) (map[string]interface{}, error) {
	found, err := session.KeyspaceMetadata(keyspace)
	// the second version learns of a new keyspace from an event, a while later
	for i := 0; err != nil && i < 200; i++ {
		time.Sleep(50 * time.Millisecond)
		found, err = session.KeyspaceMetadata(keyspace)
	}
	if err != nil {
		return nil, err
	}
	tables := map[string]interface{}{}
	for name, table := range found.Tables {
		if strings.HasSuffix(name, "_scylla_cdc_log") {
			continue
		}
		partition, clustering := []string{}, []string{}
		for _, column := range table.PartitionKey {
			partition = append(partition, column.Name)
		}
		for _, column := range table.ClusteringColumns {
			clustering = append(clustering, column.Name)
		}
		columns := []string{}
		for column := range table.Columns {
			columns = append(columns, column)
		}
		sort.Strings(columns)
		tables[name] = map[string]interface{}{"partition": partition, "clustering": clustering, "columns": columns}
	}
	return map[string]interface{}{"tables": tables}, nil
}

func play(j *job, session *gocql.Session, s *step) map[string]interface{} {
	var line map[string]interface{}
	var err error
	switch s.Op {
	case "run":
		line, err = map[string]interface{}{}, session.Query(s.Cql).Exec()
	case "query":
		query := session.Query(s.Cql)
		if s.Page > 0 {
			query = query.PageSize(s.Page)
		}
		line, err = rows(query.Iter())
	case "prepared":
		answers := []interface{}{}
		for _, run := range s.Runs {
			values := []interface{}{}
			for _, p := range run {
				values = append(values, native(p))
			}
			var answer map[string]interface{}
			answer, err = rows(session.Query(s.Cql, values...).Iter())
			if err != nil {
				break
			}
			answers = append(answers, answer)
		}
		line = map[string]interface{}{"runs": answers}
	case "batch":
		batch := newBatch(session)
		for _, cql := range s.Cqls {
			batch.Query(cql)
		}
		line, err = map[string]interface{}{}, session.ExecuteBatch(batch)
	case "schema":
		line, err = schema(session, s.Keyspace)
	case "wrong_password":
		other, refused := connect(j, "guess")
		if refused == nil {
			other.Close()
		}
		line = map[string]interface{}{"refused": refused != nil && strings.Contains(refused.Error(), "incorrect")}
	default:
		line = map[string]interface{}{"skipped": true}
	}
	if err != nil {
		return failure(err)
	}
	return line
}

func main() {
	var j job
	must(json.NewDecoder(os.Stdin).Decode(&j))
	session, err := connect(&j, j.Password)
	must(err)
	out := json.NewEncoder(os.Stdout)
	for i := range j.Steps {
		must(out.Encode(play(&j, session, &j.Steps[i])))
	}
	session.Close()
}
