// SPDX-License-Identifier: Apache-2.0
module sluice/tests/interop/scylla_clients/gocql2

go 1.25.0

require (
	github.com/apache/cassandra-gocql-driver/v2 v2.1.2
	gopkg.in/inf.v0 v0.9.1
)

require github.com/pierrec/lz4/v4 v4.1.8 // indirect
