package conformance

import (
	"context"
	"fmt"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

const (
	makeLargeObjectSQL = `SELECT lo_from_bytea(0, 'hello')`
	dropLargeObjectSQL = `SELECT lo_unlink($1)`
)

// largeObject makes a large object with the content "hello" on the primary,
// removed after the check, and opens a session on the standby that has it.
func (c *C) largeObject() (oid uint32, standby *Session) {
	// It has no name by which it could be found again, so an interruption must
	// not hide its number.
	oid, err := pair.One[uint32](context.WithoutCancel(c.ctx), c.Pair().Primary, makeLargeObjectSQL)
	if err != nil {
		c.Fatalf("make large object: %v", err)
	}
	c.Cleanup(func(ctx context.Context) error {
		return c.Pair().Primary.Exec(ctx, dropLargeObjectSQL, oid)
	})
	c.Replay()
	return oid, c.Borrow(c.Pair().Standby())
}

// withObject puts the large object's oid in place of the word OBJECT.
func withObject(oid uint32, rows ...statement) []statement {
	for _, row := range rows {
		for i, sql := range row.sql {
			row.sql[i] = strings.ReplaceAll(sql, "OBJECT", fmt.Sprint(oid))
		}
	}
	return rows
}

// largeObjectCodes: up to 15 the writers stop at an internal error, from 16
// on at a check of the transaction's mode.
func largeObjectCodes(c *C) {
	oid, standby := c.largeObject()
	standby.try(withObject(oid,
		answers(`\x68656c6c6f`, `SELECT lo_get(OBJECT)`),
		answers(`\x656c`, `SELECT lo_get(OBJECT, 1, 2)`),
		answers("0", `BEGIN`, `SELECT lo_open(OBJECT, x'40000'::int)`), // INV_READ
		answers(`\x68`, `BEGIN`, `SELECT loread(lo_open(OBJECT, x'40000'::int), 1)`),
		answers("0", `BEGIN`, `SELECT lo_open(OBJECT, x'20000'::int)`).upTo15(), // INV_WRITE
		refused("25006", `BEGIN`, `SELECT lo_open(OBJECT, x'20000'::int)`).from(160000),
		refused("XX000", `BEGIN`, `SELECT lowrite(lo_open(OBJECT, x'60000'::int), 'x')`).upTo15(),
		refused("25006", `BEGIN`, `SELECT lowrite(lo_open(OBJECT, x'60000'::int), 'x')`).from(160000),
		refused("XX000", `SELECT lo_create(0)`).upTo15(),
		refused("25006", `SELECT lo_create(0)`).from(160000),
		refused("XX000", `SELECT lo_creat(-1)`).upTo15(),
		refused("25006", `SELECT lo_creat(-1)`).from(160000),
		refused("XX000", `SELECT lo_from_bytea(0, 'x')`).upTo15(),
		refused("25006", `SELECT lo_from_bytea(0, 'x')`).from(160000),
		refused("XX000", `SELECT lo_put(OBJECT, 0, 'x')`).upTo15(),
		refused("25006", `SELECT lo_put(OBJECT, 0, 'x')`).from(160000),
		refused("55000", `SELECT lo_unlink(OBJECT)`).upTo15(),
		refused("25006", `SELECT lo_unlink(OBJECT)`).from(160000),
	)...)
}

func largeObjectFiles(c *C) {
	oid, standby := c.largeObject()
	standby.try(withObject(oid,
		answers("1", `SELECT lo_export(OBJECT, '/dev/null')`),
		// The working directory of a server is its data directory.
		refused("XX000", `SELECT lo_import('PG_VERSION')`).upTo15(),
		refused("25006", `SELECT lo_import('PG_VERSION')`).from(160000),
	)...)
}
