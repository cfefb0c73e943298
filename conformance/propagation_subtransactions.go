package conformance

import (
	"fmt"
	"strings"
)

func propagationSubtransactions() []Check {
	return []Check{{
		ID: "propagation/subtransactions",
		Obligation: "A transaction with more subtransactions than a server keeps in memory for it (64) must be seen on the standby " +
			"whole after its commit, and not at all before it or after a rollback.",
		Level:  Must,
		Source: "PostgreSQL documentation, Subtransactions; PostgreSQL's own recovery tests",
		Run:    subtransactionsArrive,
	}}
}

const (
	subtransactionTableSQL = `CREATE TABLE nested (id int); ALTER TABLE nested REPLICA IDENTITY FULL`

	// siblingsSQL opens one subtransaction after the other; every third is rolled back.
	siblingsSQL = `
DO $$
BEGIN
  FOR i IN 1..%d LOOP
    BEGIN
      INSERT INTO nested VALUES (i);
      IF i %% 3 = 0 THEN
        RAISE EXCEPTION 'rolled back';
      END IF;
    EXCEPTION WHEN raise_exception THEN
      NULL;
    END;
  END LOOP;
END $$`
	nestedCountSQL = `SELECT count(*)::text FROM nested`
	nestedEmptySQL = `DELETE FROM nested`
)

// subtransactionsArrive goes past the 64 subtransactions that the shared
// memory of a session has room for, once and twice.
func subtransactionsArrive(c *C) {
	primary, open := c.writer(), c.Borrow(c.Pair().Primary)
	primary.Do(subtransactionTableSQL)
	primary.Do(barrierTableSQL)
	for _, count := range []int{65, 130} {
		for _, shape := range []struct {
			name string
			sql  string
			rows int
		}{
			{"nested", nestedSavepoints(count), count},
			{"in a row, every third rolled back", fmt.Sprintf(siblingsSQL, count), count - count/3},
		} {
			for _, ending := range []struct {
				verb string
				rows int
			}{{"ROLLBACK", 0}, {"COMMIT", shape.rows}} {
				what := fmt.Sprintf("%d subtransactions %s, %s", count, shape.name, ending.verb)
				open.Do(`BEGIN`)
				open.Do(shape.sql)
				if rows := Value[string](open, nestedCountSQL); rows != fmt.Sprint(shape.rows) {
					c.Fatalf("%s: the transaction itself sees %s rows, want %d", what, rows, shape.rows)
				}
				primary.Do(forceFlushSQL)
				c.wantSame(what+": still open", []string{"0"}, nestedCountSQL)
				open.Do(ending.verb)
				primary.Do(forceFlushSQL)
				c.wantSame(what, []string{fmt.Sprint(ending.rows)}, nestedCountSQL)
				primary.Do(nestedEmptySQL)
			}
		}
	}
}

// nestedSavepoints opens each savepoint within the one before.
func nestedSavepoints(count int) string {
	var script strings.Builder
	for i := 1; i <= count; i++ {
		fmt.Fprintf(&script, "SAVEPOINT s%d; INSERT INTO nested VALUES (%d);\n", i, i)
	}
	return script.String()
}
