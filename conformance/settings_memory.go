package conformance

import "strconv"

// settingsMemoryChecks: what the container must give the server beside files.
func settingsMemoryChecks() []Check {
	return []Check{{
		ID:         "settings/shared-memory-suffices",
		Obligation: "The container's /dev/shm should hold what one parallel hash join may take by the server's settings.",
		Level:      Should, Needs: Needs{Operator: true}, Run: sharedMemorySuffices,
		Source: `PostgreSQL documentation, "Resource Consumption": dynamic_shared_memory_type, hash_mem_multiplier; compose specification: shm_size`,
	}}
}

// parallelHashSQL is how many bytes all processes of a parallel hash join may
// share, as text; 0 where no query is parallel or the memory is not in /dev/shm.
//
// Source: PostgreSQL source, ExecChooseHashTableSize in nodeHash.c.
const parallelHashSQL = `
SELECT CASE WHEN workers > 0 AND current_setting('dynamic_shared_memory_type') = 'posix'
            THEN trunc(pg_size_bytes(current_setting('work_mem')) * current_setting('hash_mem_multiplier')::numeric * (workers + 1))
            ELSE 0 END::text
  FROM (SELECT least(current_setting('max_parallel_workers_per_gather')::int, current_setting('max_parallel_workers')::int,
                     current_setting('max_worker_processes')::int)) AS settings(workers)`

func sharedMemorySuffices(c *C) {
	const mega = 1 << 20
	for _, node := range c.Pair().Nodes() {
		wanted, err := strconv.ParseInt(ask[string](c, node, parallelHashSQL), 10, 64)
		if err != nil {
			c.Fatalf("read the settings of %s: %v", node.Name(), err)
		}
		size := c.inspect(node).SharedMemory
		switch {
		case size == 0:
			c.Skipf("the operator does not tell the size of /dev/shm of %s", node.Name())
		case size < wanted:
			c.Errorf("/dev/shm of %s has %d MiB, one parallel hash join may take %d MiB: it fails with SQLSTATE 53100", node.Name(), size/mega, wanted/mega)
		}
	}
}
