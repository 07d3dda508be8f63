// SPDX-License-Identifier: Apache-2.0
// tedious. See README.md for the job.
'use strict';
const tedious = require('tedious');
const { TYPES } = tedious;

function pad(number, digits) {
  return String(number).padStart(digits, '0');
}

// A Date of tedious (useUTC) with the ticks that it keeps beside its milliseconds.
function timeText(value) {
  const extra = Math.round((value.nanosecondsDelta || 0) * 1e7); // 100 ns units below a millisecond
  return `${pad(value.getUTCHours(), 2)}:${pad(value.getUTCMinutes(), 2)}:${pad(value.getUTCSeconds(), 2)}.` +
    pad(value.getUTCMilliseconds(), 3) + pad(extra, 4);
}

function dateText(value) {
  return `${pad(value.getUTCFullYear(), 4)}-${pad(value.getUTCMonth() + 1, 2)}-${pad(value.getUTCDate(), 2)}`;
}

function toText(column) {
  const { value } = column;
  if (value === null) return null;
  if (value === true) return '1';
  if (value === false) return '0';
  if (Buffer.isBuffer(value)) return value.toString('hex').toUpperCase();
  if (value instanceof Date) {
    const type = column.metadata.type.name;
    if (type === 'Date') return dateText(value);
    if (type === 'Time') return timeText(value);
    return `${dateText(value)}T${timeText(value)}${type === 'DateTimeOffset' ? '+00:00' : ''}`;
  }
  return String(value);
}

const PARAMETER = {
  bit: [TYPES.Bit, (v) => v === '1'],
  tinyint: [TYPES.TinyInt, Number],
  smallint: [TYPES.SmallInt, Number],
  int: [TYPES.Int, Number],
  bigint: [TYPES.BigInt, BigInt],
  real: [TYPES.Real, Number],
  float: [TYPES.Float, Number],
  decimal: [TYPES.Decimal, Number],
  numeric: [TYPES.Numeric, Number],
  money: [TYPES.Money, Number],
  smallmoney: [TYPES.SmallMoney, Number],
  varchar: [TYPES.VarChar, String],
  char: [TYPES.Char, String],
  nvarchar: [TYPES.NVarChar, String],
  nchar: [TYPES.NChar, String],
  text: [TYPES.Text, String],
  ntext: [TYPES.NText, String],
  xml: [TYPES.NVarChar, String],
  binary: [TYPES.Binary, (v) => Buffer.from(v, 'hex')],
  image: [TYPES.Image, (v) => Buffer.from(v, 'hex')],
  varbinary: [TYPES.VarBinary, (v) => Buffer.from(v, 'hex')],
  uniqueidentifier: [TYPES.UniqueIdentifier, String],
  date: [TYPES.Date, (v) => new Date(`${v}T00:00:00Z`)],
  time: [TYPES.Time, (v) => withTicks(`1970-01-01T${v}`)],
  datetime: [TYPES.DateTime, withTicks],
  smalldatetime: [TYPES.SmallDateTime, withTicks],
  datetime2: [TYPES.DateTime2, withTicks],
  datetimeoffset: [TYPES.DateTimeOffset, withTicks],
};

function withTicks(text) {
  const [, head, fraction, zone] = /^(.*?)(?:\.(\d+))?([+-]\d\d:\d\d)?$/.exec(text);
  const digits = (fraction || '').padEnd(7, '0');
  const date = new Date(`${head}.${digits.slice(0, 3)}${zone || 'Z'}`);
  date.nanosecondDelta = Number(digits.slice(3, 7)) / 1e7; // read as nanosecondsDelta, written as nanosecondDelta
  return date;
}

function parameter(param) {
  const [type, make] = PARAMETER[param.type];
  const options = {};
  if (param.precision !== undefined) options.precision = param.precision;
  if (param.scale !== undefined) options.scale = param.scale;
  return { type, value: param.value === null ? null : make(param.value), options };
}

function addParameters(request, params) {
  params.forEach((param, i) => {
    const { type, value, options } = parameter(param);
    request.addParameter(`p${i}`, type, value, options);
  });
}

function placeMarks(sql, n) {
  for (let i = 0; i < n; i++) sql = sql.replaceAll(`{${i}}`, `@p${i}`);
  return sql;
}

function connect(job, password) {
  return new Promise((resolve, reject) => {
    const connection = new tedious.Connection({
      server: job.host,
      authentication: { type: 'default', options: { userName: job.user, password } },
      options: { port: job.port, encrypt: job.encrypt, trustServerCertificate: true, database: 'master', useUTC: true,
        connectTimeout: 20000, requestTimeout: 60000 },
    });
    connection.connect((error) => (error ? reject(error) : resolve(connection)));
  });
}

function collect(connection, sql, setUp, start) {
  return new Promise((resolve) => {
    const results = [];
    const request = new tedious.Request(sql, (error) => {
      if (!error) return resolve({ results });
      const first = error.errors ? error.errors[0] : error;
      return resolve({ results, error: first.number === undefined ? first.message : first.number });
    });
    request.on('columnMetadata', (columns) => results.push({ columns: columns.map((c) => c.colName), rows: [] }));
    request.on('row', (columns) => results[results.length - 1].rows.push(columns.map(toText)));
    if (setUp) setUp(request);
    start(request);
  });
}

function prepared(connection, step) {
  return new Promise((resolve, reject) => {
    const runs = [];
    let results = [];
    let unpreparing = false;
    const executeNext = () => {
      const values = {};
      results = [];
      step.runs[runs.length].forEach((param, i) => { values[`p${i}`] = parameter(param).value; });
      connection.execute(request, values);
    };
    const request = new tedious.Request(placeMarks(step.sql, step.runs[0].length), (error) => {
      if (error) return reject(error);
      if (unpreparing) return resolve({ runs });
      runs.push(results);
      if (runs.length < step.runs.length) return setImmediate(executeNext);
      unpreparing = true;
      return setImmediate(() => connection.unprepare(request));
    });
    request.on('columnMetadata', (columns) => results.push({ columns: columns.map((c) => c.colName), rows: [] }));
    request.on('row', (columns) => results[results.length - 1].rows.push(columns.map(toText)));
    request.on('prepared', executeNext);
    request.on('error', reject);
    step.runs[0].forEach((param, i) => {
      const { type, options } = parameter(param);
      if (param.type === 'nvarchar') options.length = 4000; // of the first value otherwise
      request.addParameter(`p${i}`, type, null, options);
    });
    connection.prepare(request);
  });
}

function transaction(connection, call) {
  return new Promise((resolve, reject) => {
    connection[call]((error) => (error ? reject(error) : resolve({})));
  });
}

async function play(job, connection, step) {
  switch (step.op) {
    case 'batch': return collect(connection, step.sql, null, (r) => connection.execSqlBatch(r));
    case 'query': return collect(connection, placeMarks(step.sql, step.params.length),
      (r) => addParameters(r, step.params), (r) => connection.execSql(r));
    case 'prepared': return prepared(connection, step);
    case 'cancelled': return collect(connection, step.sql, null, (r) => {
      connection.execSqlBatch(r);
      setTimeout(() => r.cancel(), 1000);
    }).then((line) => ({ cancelled: line.error === 'Canceled.' || line.error }));
    case 'begin': return transaction(connection, 'beginTransaction');
    case 'commit': return transaction(connection, 'commitTransaction');
    case 'rollback': return transaction(connection, 'rollbackTransaction');
    default:
      return connect(job, 'not the password').then(() => ({ error: null }),
        (error) => ({ error: error.code === 'ELOGIN' ? 18456 : error.code })); // it keeps no number
  }
}

async function main() {
  const job = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const connection = await connect(job, job.password);
  for (const step of job.steps) console.log(JSON.stringify(await play(job, connection, step)));
  connection.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
