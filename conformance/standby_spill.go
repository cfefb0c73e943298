package conformance

import (
	"encoding/json"
	"fmt"
)

const (
	smallWorkMemSQL = `SET work_mem = '64kB'`
	noParallelSQL   = `SET max_parallel_workers_per_gather = 0`
	hashOnlySQL     = `SET enable_mergejoin = off`
	noNestedLoopSQL = `SET enable_nestloop = off`
	wideRowsSQL     = `INSERT INTO t SELECT n, repeat('x', 100) || n FROM generate_series(1, 5000) AS n`
	bigSortSQL      = `EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM t ORDER BY v`
	bigHashSQL      = `EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM t AS a JOIN t AS b USING (v)`
	sortCursorSQL   = `DECLARE c CURSOR FOR SELECT v FROM t ORDER BY v`
	fetchSQL        = `FETCH 1 FROM c`
	closeSQL        = `CLOSE c`
	mayListTempSQL  = `SELECT has_function_privilege('pg_ls_tmpdir()', 'EXECUTE')`
	ownTempFilesSQL = `SELECT count(*) FROM pg_ls_tmpdir() WHERE name LIKE 'pgsql_tmp' || pg_backend_pid() || '.%'`
	defaultTempSQL  = `SET temp_tablespaces = ''`
)

func spillsToDisk(c *C) {
	standby := c.replayed(tableSQL, wideRowsSQL)
	for _, sql := range []string{smallWorkMemSQL, noParallelSQL, hashOnlySQL, noNestedLoopSQL, defaultTempSQL} {
		standby.Do(sql)
	}
	if plan := standby.plan(bigSortSQL); plan.find("Sort Space Type") != "Disk" {
		c.Errorf("%s: a sort of 600 kB with work_mem of 64 kB uses %v, must use Disk", bigSortSQL, plan.find("Sort Space Type"))
	}
	if batches, _ := standby.plan(bigHashSQL).find("Hash Batches").(float64); batches < 2 {
		c.Errorf("%s: a hash of 600 kB with work_mem of 64 kB has %g batches, must have several", bigHashSQL, batches)
	}
	if !Value[bool](standby, mayListTempSQL) {
		c.Logf("the role may not list temporary files")
		return
	}
	standby.Do(beginSQL)
	standby.Do(sortCursorSQL)
	standby.Do(fetchSQL)
	if files := Value[int](standby, ownTempFilesSQL); files == 0 {
		c.Errorf("no temporary file of the session while its sort is open")
	}
	standby.Do(closeSQL)
	if files := Value[int](standby, ownTempFilesSQL); files != 0 {
		c.Errorf("%d temporary files of the session after its sort was closed, must be none", files)
	}
	standby.Do(commitSQL)
}

// plan is a node of what EXPLAIN (FORMAT JSON) prints.
type plan map[string]any

// plan runs an EXPLAIN (FORMAT JSON) statement and gives its top node.
func (s *Session) plan(sql string) plan {
	var explained []struct{ Plan plan }
	if err := json.Unmarshal([]byte(s.text(sql)), &explained); err != nil || len(explained) != 1 {
		s.c.Harness(fmt.Errorf("read plan of %s: %d plans: %w", sql, len(explained), err))
	}
	return explained[0].Plan
}

// find gives the property of the node or of the first below that has it, or nil.
func (p plan) find(property string) any {
	if value, ok := p[property]; ok {
		return value
	}
	below, _ := p["Plans"].([]any)
	for _, child := range below {
		if node, ok := child.(map[string]any); ok {
			if value := plan(node).find(property); value != nil {
				return value
			}
		}
	}
	return nil
}
