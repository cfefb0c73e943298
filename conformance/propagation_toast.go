package conformance

import (
	"context"
	"fmt"
	"strconv"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func propagationToast() []Check {
	const source = "PostgreSQL documentation, TOAST"
	return []Check{
		{
			ID: "propagation/toast-and-large-objects",
			Obligation: "Large values up to 64 MB, out of line or compressed, kept by an update or replaced, and large objects " +
				"must be equal on the standby.",
			Level:  Must,
			Source: source + "; Large Objects",
			Run: func(c *C) {
				toastArrives(c)
				largeObjectsArrive(c)
			},
		},
		{
			ID:         "propagation/toast-lz4",
			Obligation: "Values compressed with lz4 should be readable on the standby.",
			Level:      Should,
			Needs:      Needs{Since: 14},
			Source:     source,
			Run:        lz4Arrives,
		},
	}
}

const (
	toastTableSQL = `
CREATE TABLE toasted (id int PRIMARY KEY, small int, external text, extended text);
ALTER TABLE toasted ALTER COLUMN external SET STORAGE EXTERNAL, ALTER COLUMN extended SET STORAGE EXTENDED`

	// toastRowSQL makes a row whose one value does not compress and whose other does.
	toastRowSQL = `
INSERT INTO toasted
SELECT $1::int, 0, left(string_agg(md5(i::text), ''), $1::int), repeat('0123456789abcdef', $1::int / 16)
  FROM generate_series(0, $1::int / 32) AS i`

	// toastHugeSQL takes the size from a row: of constants alone the planner
	// would make the value, and copy it.
	toastHugeSQL = `
INSERT INTO toasted (id, small, external)
SELECT size, 0, repeat(repeat('0123456789abcdef', 1024), size / 16384) FROM generate_series($1::int, $1::int) AS size`

	toastSumsSQL = `
SELECT concat_ws(' ', id, small, octet_length(external), octet_length(extended), md5(external), md5(extended),
                 pg_column_size(external), pg_column_size(extended))
  FROM toasted WHERE id <> ALL ($1::int[]) ORDER BY id`

	toastStoredSQL = `
SELECT concat_ws(' ', octet_length(external), pg_column_size(external) = octet_length(external),
                 octet_length(extended), pg_column_size(extended) < octet_length(extended))
  FROM toasted WHERE id = $1`

	toastSizeSQL = `SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'toasted'::regclass`
	toastKeepSQL = `UPDATE toasted SET small = small + 1`
	toastSwapSQL = `UPDATE toasted SET external = left(extended, 3000) || id, extended = external WHERE id = $1`
	toastDropSQL = `DELETE FROM toasted WHERE id = $1`
)

// toastArrives stores values from below the limit of a row to 64 MB.
func toastArrives(c *C) {
	const (
		huge     = 64 << 20
		large    = 1 << 20
		replaced = 100_000
		deleted  = 10_000
	)
	primary := c.writer()
	primary.Do(toastTableSQL)
	for _, size := range []int{1_000, 1_996, 2_100, deleted, replaced, large} {
		primary.Do(toastRowSQL, size)
	}
	primary.Do(toastHugeSQL, huge)
	c.wantSame("storage of 1 MB, external and compressed",
		[]string{fmt.Sprintf("%d t %d t", large, large)}, toastStoredSQL, large)
	c.wantSame("storage of 64 MB", []string{strconv.Itoa(huge) + " t"}, toastStoredSQL, huge)
	if rows := c.same("large values", toastSumsSQL, []int{}); len(rows) != 7 {
		c.Errorf("7 rows with large values were stored, %d are there", len(rows))
	}

	// An update of another column writes no new large value: the row points to the old one.
	before := Value[int64](primary, toastSizeSQL)
	primary.Do(toastKeepSQL)
	if after := Value[int64](primary, toastSizeSQL); after != before {
		c.Errorf("an update of another column grew the TOAST table from %d to %d bytes", before, after)
	}
	primary.Do(toastSwapSQL, replaced)
	primary.Do(toastDropSQL, deleted)
	// The 64 MB again would only cost time: its row differs in a small column.
	c.same("large values kept, replaced and deleted", toastSumsSQL, []int{huge})
	c.wantSame("large values kept", []string{strconv.Itoa(huge) + " t"}, toastStoredSQL, huge)
}

const (
	lz4TableSQL = `CREATE TABLE squeezed (id int, body text COMPRESSION lz4)`
	lz4RowsSQL  = `INSERT INTO squeezed SELECT i, repeat(md5(i::text), i) FROM generate_series(100, 20000, 1990) AS i`
	lz4SumsSQL  = `SELECT concat_ws(' ', id, pg_column_compression(body), pg_column_size(body), md5(body)) FROM squeezed ORDER BY id`
	lz4CountSQL = `SELECT count(*)::text FROM squeezed WHERE pg_column_compression(body) = 'lz4' AND body = repeat(md5(id::text), id)`
)

func lz4Arrives(c *C) {
	const featureNotSupported = "0A000"
	primary := c.writer()
	if err := primary.Try(lz4TableSQL); pair.SQLState(err) == featureNotSupported {
		c.Skipf("server is built without lz4: %v", err)
	} else if err != nil {
		c.Fatalf("%v", err)
	}
	primary.Do(lz4RowsSQL)
	c.same("values compressed with lz4", lz4SumsSQL)
	c.wantSame("number of values compressed with lz4", []string{"11"}, lz4CountSQL)
}

const (
	largeObjectSQL       = `SELECT lo_from_bytea(0, decode(repeat('00ff10', 100000), 'hex'))`
	largeObjectWriteSQL  = `SELECT lo_put($1, 150000, '\xdeadbeef')`
	largeObjectSumSQL    = `SELECT concat_ws(' ', octet_length(lo_get($1)), md5(lo_get($1)), encode(lo_get($1, 149998, 8), 'hex'))`
	largeObjectUnlinkSQL = `SELECT lo_unlink($1)`
	largeObjectReadSQL   = `SELECT lo_get($1)`
	largeObjectRemoveSQL = `SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = $1`
)

func largeObjectsArrive(c *C) {
	const undefinedObject = "42704"
	primary := c.writer()
	// It has no name by which it could be found again, so an interruption must
	// not hide its number.
	object, err := pair.One[uint32](context.WithoutCancel(c.ctx), c.Pair().Primary, largeObjectSQL)
	if err != nil {
		c.Fatalf("make large object: %v", err)
	}
	c.Cleanup(func(ctx context.Context) error {
		return c.Pair().Primary.Exec(ctx, largeObjectRemoveSQL, object)
	})
	made := c.same("large object", largeObjectSumSQL, object)[0]
	primary.Do(largeObjectWriteSQL, object)
	written := c.same("large object written in the middle", largeObjectSumSQL, object)[0]
	if made == written {
		c.Errorf("writing into the large object changed nothing: %s", written)
	}
	primary.Do(largeObjectUnlinkSQL, object)
	c.Replay()
	for _, node := range c.Pair().Nodes() {
		c.on(node).Refuses(undefinedObject, largeObjectReadSQL, object)
	}
}
