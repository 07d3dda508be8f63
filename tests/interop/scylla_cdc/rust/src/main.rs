// SPDX-License-Identifier: Apache-2.0
//! Prints every change of one table's CDC log as a JSON line, read by the scylla-cdc crate.
//! Arguments: HOST:PORT KEYSPACE TABLE SECONDS. Reads from a day back until now and on, for SECONDS.
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use scylla::client::session_builder::SessionBuilder;
use scylla::value::CqlValue;
use scylla_cdc::consumer::{CDCRow, Consumer, ConsumerFactory};
use scylla_cdc::log_reader::CDCLogReaderBuilder;
use serde_json::{json, Map, Value};

struct Printer;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The text that all printers of these tests agree on.
fn text(value: &CqlValue) -> Value {
    match value {
        CqlValue::Text(v) | CqlValue::Ascii(v) => json!(v),
        CqlValue::Int(v) => json!(v.to_string()),
        CqlValue::BigInt(v) => json!(v.to_string()),
        CqlValue::SmallInt(v) => json!(v.to_string()),
        CqlValue::TinyInt(v) => json!(v.to_string()),
        CqlValue::Boolean(v) => json!(v.to_string()),
        CqlValue::Blob(v) => json!(hex(v)),
        CqlValue::Uuid(v) => json!(v.to_string()),
        CqlValue::Map(pairs) => {
            let mut all: Vec<String> =
                pairs.iter().map(|(k, v)| format!("{}={}", plain(k), plain(v))).collect();
            all.sort();
            json!(format!("{{{}}}", all.join(",")))
        }
        CqlValue::Set(values) => {
            let mut all: Vec<String> = values.iter().map(plain).collect();
            all.sort();
            json!(format!("[{}]", all.join(",")))
        }
        other => json!(format!("{other:?}")),
    }
}

fn plain(value: &CqlValue) -> String {
    text(value).as_str().unwrap_or_default().to_string()
}

#[async_trait]
impl Consumer for Printer {
    async fn consume_cdc(&mut self, row: CDCRow<'_>) -> anyhow::Result<()> {
        let mut columns = Map::new();
        let mut deleted = Vec::new();
        let names: Vec<String> = row.get_non_cdc_column_names().map(String::from).collect();
        for name in &names {
            columns.insert(name.clone(), row.get_value(name).as_ref().map_or(Value::Null, text));
            if row.column_deletable(name) && row.is_value_deleted(name) {
                deleted.push(name.clone());
            }
        }
        deleted.sort();
        let line = json!({"stream": row.stream_id.to_string(), "time": row.time.to_string(),
            "seq": row.batch_seq_no, "operation": format!("{:?}", row.operation), "ttl": row.ttl,
            "columns": columns, "deleted": deleted});
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()?;
        Ok(())
    }
}

struct Factory;

#[async_trait]
impl ConsumerFactory for Factory {
    async fn new_consumer(&self) -> Box<dyn Consumer> {
        Box::new(Printer)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let session = SessionBuilder::new().known_node(&arguments[1]).build().await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let (mut reader, handle) = CDCLogReaderBuilder::new()
        .session(Arc::new(session))
        .keyspace(&arguments[2])
        .table_name(&arguments[3])
        .start_timestamp(now - Duration::from_secs(3600))
        .window_size(Duration::from_secs(1200))
        .safety_interval(Duration::from_millis(500))
        .sleep_interval(Duration::from_millis(500))
        .consumer_factory(Arc::new(Factory))
        .build()
        .await?;
    eprintln!("reading");
    tokio::time::sleep(Duration::from_secs(arguments[4].parse()?)).await;
    reader.stop();
    handle.await
}
