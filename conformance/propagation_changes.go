package conformance

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func propagationChanges() []Check {
	return []Check{
		{
			ID:         "propagation/changes-arrive",
			Obligation: "Every kind of committed row change must be seen on the standby exactly as on the primary.",
			Level:      Must,
			Source:     "PostgreSQL documentation, Log-Shipping Standby Servers",
			Run:        func(c *C) { rowChangesArrive(c, rowChanges()) },
		},
		{
			ID:         "propagation/merge-arrives",
			Obligation: "Rows that MERGE inserts, updates and deletes must be seen on the standby exactly as on the primary.",
			Level:      Must,
			Needs:      Needs{Since: 15},
			Source:     "PostgreSQL documentation, MERGE; Log-Shipping Standby Servers",
			Run:        func(c *C) { rowChangesArrive(c, mergeChanges()) },
		},
		{
			ID:         "propagation/copy-arrives",
			Obligation: "Rows loaded with COPY must be seen on the standby as on the primary, and those of a failed COPY on neither.",
			Level:      Must,
			Source:     "PostgreSQL documentation, COPY; Log-Shipping Standby Servers",
			Run:        copyArrives,
		},
	}
}

// rowChange is a statement and what the two tables of the check hold after it.
type rowChange struct {
	what string
	sql  string
	want []string
}

const changeTablesSQL = `
CREATE TABLE items (id int PRIMARY KEY, name text, amount int NOT NULL DEFAULT 7);
CREATE TABLE parts (id int PRIMARY KEY, item int REFERENCES items ON DELETE CASCADE ON UPDATE CASCADE)`

const changedRowsSQL = `
SELECT concat_ws(' ', 'item', id, COALESCE(name, 'NULL'), amount) FROM items
 UNION ALL
SELECT concat_ws(' ', 'part', id, item) FROM parts
 ORDER BY 1`

func rowChanges() []rowChange {
	return []rowChange{
		{
			"INSERT", `INSERT INTO items (id, name) VALUES (1, 'one'), (2, 'two'), (3, NULL)`,
			[]string{"item 1 one 7", "item 2 two 7", "item 3 NULL 7"},
		},
		{
			"INSERT with a foreign key", `INSERT INTO parts VALUES (20, 2), (30, 3)`,
			[]string{"item 1 one 7", "item 2 two 7", "item 3 NULL 7", "part 20 2", "part 30 3"},
		},
		{
			"UPDATE", `UPDATE items SET name = 'deux', amount = amount + 1 WHERE id = 2`,
			[]string{"item 1 one 7", "item 2 deux 8", "item 3 NULL 7", "part 20 2", "part 30 3"},
		},
		{
			"UPDATE of a key that others refer to", `UPDATE items SET id = 4 WHERE id = 2`,
			[]string{"item 1 one 7", "item 3 NULL 7", "item 4 deux 8", "part 20 4", "part 30 3"},
		},
		{
			"DELETE that cascades", `DELETE FROM items WHERE id = 3`,
			[]string{"item 1 one 7", "item 4 deux 8", "part 20 4"},
		},
		{
			"INSERT ON CONFLICT DO UPDATE", `INSERT INTO items VALUES (1, 'uno', 1), (5, 'five', 5)
				ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, amount = items.amount + EXCLUDED.amount`,
			[]string{"item 1 uno 8", "item 4 deux 8", "item 5 five 5", "part 20 4"},
		},
		{
			"INSERT ON CONFLICT DO NOTHING", `INSERT INTO items VALUES (1, 'never', 0), (6, 'six', 6) ON CONFLICT DO NOTHING`,
			[]string{"item 1 uno 8", "item 4 deux 8", "item 5 five 5", "item 6 six 6", "part 20 4"},
		},
		{
			"common table expression that writes", `WITH gone AS (DELETE FROM items WHERE id = 6 RETURNING *)
				INSERT INTO items SELECT id + 1, name, amount FROM gone`,
			[]string{"item 1 uno 8", "item 4 deux 8", "item 5 five 5", "item 7 six 6", "part 20 4"},
		},
		{
			"DO block that commits and rolls back", `DO $$ BEGIN
				INSERT INTO items VALUES (8, 'kept', 0); COMMIT;
				INSERT INTO items VALUES (9, 'undone', 0); ROLLBACK; END $$`,
			[]string{"item 1 uno 8", "item 4 deux 8", "item 5 five 5", "item 7 six 6", "item 8 kept 0", "part 20 4"},
		},
		{
			"DELETE of everything", `DELETE FROM items`, []string{},
		},
	}
}

func mergeChanges() []rowChange {
	return []rowChange{
		{
			"INSERT", `INSERT INTO items VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3)`,
			[]string{"item 1 one 1", "item 2 two 2", "item 3 three 3"},
		},
		{
			"MERGE", `MERGE INTO items AS i USING (VALUES (1, 10), (2, 0), (4, 40)) AS s (id, amount) ON i.id = s.id
				WHEN MATCHED AND s.amount = 0 THEN DELETE
				WHEN MATCHED THEN UPDATE SET amount = s.amount
				WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'new', s.amount)`,
			[]string{"item 1 one 10", "item 3 three 3", "item 4 new 40"},
		},
	}
}

func rowChangesArrive(c *C, changes []rowChange) {
	primary := c.writer()
	primary.Do(changeTablesSQL)
	for _, change := range changes {
		primary.Do(change.sql)
		c.wantSame(change.what, change.want, changedRowsSQL)
	}
}

const (
	copiedTableSQL = `CREATE TABLE copied (id int PRIMARY KEY, note text)`
	copyTextSQL    = `COPY copied FROM STDIN`
	copyCSVSQL     = `COPY copied FROM STDIN (FORMAT csv)`
	copiedSumSQL   = `SELECT format('%s rows, %s without note, md5 %s', count(*), count(*) FILTER (WHERE note IS NULL),
       md5(string_agg(c::text, E'\n' ORDER BY id))) FROM copied AS c`
	copiedEdgesSQL = `SELECT note FROM copied WHERE id > 1000 ORDER BY id`
	copiedCountSQL = `SELECT count(*)::text FROM copied`
)

// copyArrives loads in the binary, the text and the CSV format, and lets a
// load fail at its last row.
func copyArrives(c *C) {
	const loaded = 500
	primary := c.writer()
	primary.Do(copiedTableSQL)
	primary.Do(barrierTableSQL)
	binary := pgx.CopyFromSlice(loaded, func(i int) ([]any, error) {
		if i%100 == 0 {
			return []any{i, nil}, nil
		}
		return []any{i, "tab\t, line\n and \\ of row " + strconv.Itoa(i)}, nil
	})
	if _, err := primary.CopyFrom(c.ctx, pgx.Identifier{"copied"}, []string{"id", "note"}, binary); err != nil {
		c.Fatalf("COPY in the binary format: %v", err)
	}
	for _, load := range []struct{ sql, data string }{
		{copyTextSQL, "1001\t\\N and \\\\ and \\t\n1002\tüñï\n"},
		{copyCSVSQL, "1003,\"quote \"\", comma\"\n1004,\"\"\n"},
	} {
		if _, err := primary.PgConn().CopyFrom(c.ctx, strings.NewReader(load.data), load.sql); err != nil {
			c.Fatalf("%s: %v", load.sql, err)
		}
	}
	sum := c.same("rows loaded with COPY", copiedSumSQL)[0]
	if want := fmt.Sprintf("%d rows, %d without note,", loaded+4, loaded/100); !strings.HasPrefix(sum, want) {
		c.Fatalf("COPY loaded %q on the primary, want %q", sum, want)
	}
	c.wantSame("rows with special characters", []string{"N and \\ and \t", "üñï", `quote ", comma`, ""}, copiedEdgesSQL)

	const uniqueViolation = "23505"
	_, err := primary.PgConn().CopyFrom(c.ctx, strings.NewReader("2001\tfine\n2002\tfine\n1001\ttwice\n"), copyTextSQL)
	if pair.SQLState(err) != uniqueViolation {
		c.Fatalf("COPY of a duplicate key must fail with SQLSTATE %s, got %v", uniqueViolation, err)
	}
	primary.Do(forceFlushSQL)
	c.wantSame("rows of a failed COPY", []string{strconv.Itoa(loaded + 4)}, copiedCountSQL)
}
