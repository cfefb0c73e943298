package conformance

import "strings"

func propagationDefinitions() []Check {
	return []Check{{
		ID:         "propagation/definitions",
		Obligation: "Every kind of definition made, changed or dropped on the primary must be in force on the standby, with equal catalogs.",
		Level:      Must,
		Source:     "PostgreSQL documentation, Hot Standby; System Catalogs",
		Run:        definitionsArrive,
	}}
}

// definitionsArrive makes one definition after the other. Each has a proof
// that does not hold before and must hold afterwards on every node.
func definitionsArrive(c *C) {
	primary := c.writer()
	primary.Do(definedBeforeSQL)
	definitions := definitions()
	proofs := make([]string, len(definitions))
	for i, definition := range definitions {
		// A proof that fails, because it asks for what is not there yet, does not hold either.
		var holds bool
		if err := primary.QueryRow(c.ctx, definition.proof).Scan(&holds); err == nil && holds {
			c.Errorf("%s: %q holds before it is done: it proves nothing", definition.what, definition.proof)
		}
		primary.Do(definition.sql)
		if !Value[bool](primary, definition.proof) {
			c.Errorf("%s: %q does not hold on the primary", definition.what, definition.proof)
		}
		proofs[i] = definition.proof
	}
	c.Replay()
	for _, node := range c.Pair().Standbys {
		standby := c.on(node)
		for _, definition := range definitions {
			if !Value[bool](standby, definition.proof) {
				c.Errorf("%s: %q does not hold on %s", definition.what, definition.proof, node.Name())
			}
		}
	}
	rows := c.same("catalogs", strings.Join(catalogQueries(), "\n UNION ALL "))
	c.Measure("definitions", float64(len(definitions)), "")
	c.Measure("catalog-rows", float64(len(rows)), "")
}

// catalogQueries gives one query per catalog: a line for each of its rows
// that belongs to the check's schema.
//
// Statistics that VACUUM and ANALYZE update in place are left out of pg_class:
// they may change between the looks at two nodes.
func catalogQueries() []string {
	const (
		here      = `current_schema()::regnamespace`
		relations = `(SELECT oid FROM pg_class WHERE relnamespace = ` + here + `)`
		types     = `(SELECT oid FROM pg_type WHERE typnamespace = ` + here + `)`
	)
	return []string{
		`SELECT concat_ws(' ', 'class', oid, relname, reltype, reloftype, relam, relfilenode, relkind, relpersistence, relnatts, relchecks,
			relhasindex, relhasrules, relhastriggers, relrowsecurity, relforcerowsecurity, relreplident, relispartition, relispopulated,
			reltoastrelid, reloptions, relacl, pg_get_expr(relpartbound, oid)) FROM pg_class WHERE relnamespace = ` + here,
		`SELECT concat_ws(' ', 'attribute', attrelid, attnum, attname, atttypid, attlen, atttypmod, attnotnull, attidentity, attgenerated,
			attisdropped, attislocal, attinhcount, attcollation, attstorage, attoptions, attmissingval::text)
			FROM pg_attribute WHERE attrelid IN ` + relations,
		`SELECT concat_ws(' ', 'default', adrelid, adnum, pg_get_expr(adbin, adrelid)) FROM pg_attrdef WHERE adrelid IN ` + relations,
		`SELECT concat_ws(' ', 'constraint', oid, conname, contype, convalidated, pg_get_constraintdef(oid))
			FROM pg_constraint WHERE connamespace = ` + here,
		`SELECT concat_ws(' ', 'index', indexrelid, indisunique, indisprimary, indisexclusion, indisclustered, indisvalid, indisready,
			indislive, indisreplident, pg_get_indexdef(indexrelid)) FROM pg_index WHERE indrelid IN ` + relations,
		`SELECT concat_ws(' ', 'rule', oid, rulename, ev_enabled, pg_get_ruledef(oid)) FROM pg_rewrite WHERE ev_class IN ` + relations,
		`SELECT concat_ws(' ', 'trigger', oid, tgenabled, tgisinternal, pg_get_triggerdef(oid)) FROM pg_trigger WHERE tgrelid IN ` + relations,
		`SELECT concat_ws(' ', 'policy', oid, polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid),
			pg_get_expr(polwithcheck, polrelid)) FROM pg_policy WHERE polrelid IN ` + relations,
		`SELECT concat_ws(' ', 'inherits', i::text) FROM pg_inherits AS i WHERE inhrelid IN ` + relations,
		`SELECT concat_ws(' ', 'partitioned', p::text) FROM pg_partitioned_table AS p WHERE partrelid IN ` + relations,
		`SELECT concat_ws(' ', 'sequence', s::text) FROM pg_sequence AS s WHERE seqrelid IN ` + relations,
		`SELECT concat_ws(' ', 'statistics', oid, stxname, pg_get_statisticsobjdef(oid))
			FROM pg_statistic_ext WHERE stxnamespace = ` + here,
		`SELECT concat_ws(' ', 'type', t::text) FROM pg_type AS t WHERE typnamespace = ` + here,
		`SELECT concat_ws(' ', 'enum', e::text) FROM pg_enum AS e WHERE enumtypid IN ` + types,
		`SELECT concat_ws(' ', 'range', r::text) FROM pg_range AS r WHERE rngtypid IN ` + types,
		`SELECT concat_ws(' ', 'cast', k::text) FROM pg_cast AS k WHERE castsource IN ` + types,
		`SELECT concat_ws(' ', 'function', p::text) FROM pg_proc AS p WHERE pronamespace = ` + here,
		`SELECT concat_ws(' ', 'aggregate', a::text) FROM pg_aggregate AS a JOIN pg_proc AS p ON p.oid = a.aggfnoid
			WHERE pronamespace = ` + here,
		`SELECT concat_ws(' ', 'operator', o::text) FROM pg_operator AS o WHERE oprnamespace = ` + here,
		`SELECT concat_ws(' ', 'collation', l::text) FROM pg_collation AS l WHERE collnamespace = ` + here,
		`SELECT concat_ws(' ', 'text search', t::text) FROM pg_ts_config AS t WHERE cfgnamespace = ` + here,
		`SELECT concat_ws(' ', 'comment', d::text) FROM pg_description AS d WHERE objoid IN ` + relations,
		`SELECT concat_ws(' ', 'depends', d::text) FROM pg_depend AS d WHERE objid IN ` + relations + ` ORDER BY 1`,
	}
}
