// SPDX-License-Identifier: Apache-2.0
// What differs between gocql's two versions, besides the import path.
package main

import (
	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
)

func compressor() gocql.Compressor { return lz4.LZ4Compressor{} }

func newBatch(session *gocql.Session) *gocql.Batch { return session.Batch(gocql.LoggedBatch) }
