// SPDX-License-Identifier: Apache-2.0
// What differs between gocql's two versions, besides the import path.
package main

import "github.com/gocql/gocql"

func compressor() gocql.Compressor { panic("LZ4 is no part of gocql 1.7.0") }

func newBatch(session *gocql.Session) *gocql.Batch { return session.NewBatch(gocql.LoggedBatch) }
