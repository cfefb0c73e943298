package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func startupIdentityChecks() []Check {
	return []Check{
		{
			ID:         "startup/roles-differ",
			Obligation: "The primary must take writes, and each standby must be in recovery and read-only.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "Hot Standby: User's Overview"`,
			Run:        rolesDiffer,
		},
		{
			ID:         "startup/same-cluster",
			Obligation: "Primary and standbys must be one physical cluster: their system identifiers must be equal.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "Log-Shipping Standby Servers"`,
			ReadsOnly:  true,
			Run:        sameCluster,
		},
		{
			ID:         "startup/same-layout-and-timeline",
			Obligation: "Primary and standbys must agree on catalog version, page checksums, block and segment sizes, encoding and timeline.",
			Level:      Must,
			Source:     `PostgreSQL documentation, "Log-Shipping Standby Servers: Planning", "Control Data Functions"`,
			Needs:      Needs{Statistics: true},
			ReadsOnly:  true,
			Run:        sameLayout,
		},
		{
			ID:         "startup/same-collation-versions",
			Obligation: "Primary and standbys must sort by one collation version, the one that the databases were made with, or indexes are wrong.",
			Level:      Must,
			Needs:      Needs{Since: 15},
			Source:     `PostgreSQL documentation, "ALTER COLLATION: Notes", "Database Object Management Functions"`,
			ReadsOnly:  true,
			Run:        sameCollationVersions,
		},
		{
			ID:         "startup/same-minor-version",
			Obligation: "Primary and standbys should run the same minor version.",
			Level:      Should,
			Source:     `PostgreSQL documentation, "Log-Shipping Standby Servers: Planning"`,
			ReadsOnly:  true,
			Run:        sameMinorVersion,
		},
	}
}

// role is what tells a client which side it is connected to.
type role struct {
	InRecovery   bool   `db:"in_recovery"`
	InHotStandby string `db:"in_hot_standby"`
	ReadOnly     string `db:"read_only"`
}

// in_hot_standby came with PostgreSQL 14; before, the recovery state stands in for it.
const roleSQL = `
SELECT pg_is_in_recovery() AS in_recovery,
       COALESCE(current_setting('in_hot_standby', true),
                CASE WHEN pg_is_in_recovery() THEN 'on' ELSE 'off' END) AS in_hot_standby,
       current_setting('transaction_read_only') AS read_only`

func rolesDiffer(c *C) {
	c.Schema() // making it is a write
	primary := c.Pair().Primary
	if seen, want := askRow[role](c, primary, roleSQL), (role{InHotStandby: "off", ReadOnly: "off"}); seen != want {
		c.Errorf("primary %s says %+v, must be %+v", primary.Name(), seen, want)
	}
	for _, standby := range c.Pair().Standbys {
		if seen, want := askRow[role](c, standby, roleSQL), (role{InRecovery: true, InHotStandby: "on", ReadOnly: "on"}); seen != want {
			c.Errorf("standby %s says %+v, must be %+v", standby.Name(), seen, want)
		}
	}
}

const systemIdentifierSQL = `SELECT system_identifier FROM pg_control_system()`

func sameCluster(c *C) {
	primary := c.Pair().Primary
	want := ask[int64](c, primary, systemIdentifierSQL)
	for _, standby := range c.Pair().Standbys {
		if seen := ask[int64](c, standby, systemIdentifierSQL); seen != want {
			c.Errorf("system identifier of %s is %d, of %s %d: two clusters, not a pair",
				primary.Name(), want, standby.Name(), seen)
		}
	}
}

// fact is one named value of a server.
type fact struct {
	Name  string `db:"name"`
	Value string `db:"value"`
}

const (
	// Every column of pg_control_init is fixed when a cluster is made.
	layoutSQL = `
SELECT key AS name, COALESCE(value, '') AS value
  FROM pg_control_init() AS init, jsonb_each_text(to_jsonb(init))
UNION ALL
SELECT 'pg_control_version', pg_control_version::text FROM pg_control_system()
UNION ALL
SELECT 'catalog_version_no', catalog_version_no::text FROM pg_control_system()
UNION ALL
SELECT name, setting FROM pg_settings WHERE name IN ('server_encoding', 'data_checksums')`
	// The control file tells the timeline of the last checkpoint only; the
	// name of the segment being written begins with the current one.
	timelineSQL = `SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`
)

func sameLayout(c *C) {
	const leastFacts = 10 // fewer would mean that the query no longer sees the layout
	primary := c.Pair().Primary
	want := layout(c, primary)
	if len(want) < leastFacts {
		c.Fatalf("%s tells only %d facts of its layout: %v", primary.Name(), len(want), want)
	}
	text := ask[string](c, primary, timelineSQL)
	timeline, err := strconv.ParseInt(text, 16, 64)
	if err != nil {
		c.Fatalf("%s writes a segment whose name begins with %q, must be a timeline: %v", primary.Name(), text, err)
	}
	for _, standby := range c.Pair().Standbys {
		seen := layout(c, standby)
		names := slices.Sorted(maps.Keys(want))
		for name := range seen {
			if _, ok := want[name]; !ok {
				names = append(names, name)
			}
		}
		for _, name := range names {
			if seen[name] != want[name] {
				c.Errorf("%s of %s is %q, of %s %q", name, primary.Name(), want[name], standby.Name(), seen[name])
			}
		}
		if receiver := c.streamTo(standby).receiver; int64(receiver.Timeline) != timeline {
			c.Errorf("%s writes timeline %d, %s receives timeline %d", primary.Name(), timeline, standby.Name(), receiver.Timeline)
		}
	}
}

func layout(c *C, node *pair.Node) map[string]string {
	facts := map[string]string{}
	for _, fact := range askRows[fact](c, node, layoutSQL) {
		facts[fact.Name] = fact.Value
	}
	return facts
}

// collation is a thing that sorts, with the version it was made with and the
// version that the server's library has; "" for none.
type collation struct {
	Name     string `db:"name"`
	Recorded string `db:"recorded"`
	Actual   string `db:"actual"`
}

// collationsSQL leaves out what nothing is sorted by: databases that nobody can
// use, and all of the hundreds of collations that no column or index names.
const collationsSQL = `
SELECT 'database ' || datname AS name, COALESCE(datcollversion, '') AS recorded,
       COALESCE(pg_database_collation_actual_version(oid), '') AS actual
  FROM pg_database WHERE datallowconn
UNION ALL
SELECT 'collation ' || oid::regcollation, COALESCE(collversion, ''), COALESCE(pg_collation_actual_version(oid), '')
  FROM pg_collation
 WHERE EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_collation'::regclass AND refobjid = pg_collation.oid)`

func sameCollationVersions(c *C) {
	const shown = 5 // a wrong library puts many wrong
	primary := c.Pair().Primary
	onPrimary := askRows[collation](c, primary, collationsSQL)
	versions := 0
	for _, node := range c.Pair().Nodes() {
		here := askRows[collation](c, node, collationsSQL)
		versions += len(slices.DeleteFunc(slices.Clone(here), func(one collation) bool { return one.Recorded == "" && one.Actual == "" }))
		if wrong := wrongCollations(here, onPrimary); len(wrong) > 0 {
			c.Errorf("%s sorts by another version in %d of %d cases, such as %s",
				node.Name(), len(wrong), len(here), strings.Join(wrong[:min(shown, len(wrong))], "; "))
		}
	}
	if versions == 0 {
		c.Skipf("no server knows a collation version: the databases sort by bytes, or the C libraries have no versions")
	}
}

// wrongCollations tells what a server sorts by another version than the one
// recorded, or than the primary does: one library without versions beside one
// that has them is two libraries.
func wrongCollations(here, onPrimary []collation) []string {
	there := map[string]string{}
	for _, one := range onPrimary {
		there[one.Name] = one.Actual
	}
	var wrong []string
	for _, one := range here {
		if one.Recorded != "" && one.Recorded != one.Actual {
			wrong = append(wrong, fmt.Sprintf("%s: %q, made with %q", one.Name, one.Actual, one.Recorded))
		}
		if actual, known := there[one.Name]; known && actual != one.Actual {
			wrong = append(wrong, fmt.Sprintf("%s: %q, on the primary %q", one.Name, one.Actual, actual))
		}
	}
	return wrong
}

const minorVersionSQL = `SELECT current_setting('server_version')`

func sameMinorVersion(c *C) {
	primary := c.Pair().Primary
	want := ask[string](c, primary, minorVersionSQL)
	for _, standby := range c.Pair().Standbys {
		if seen := ask[string](c, standby, minorVersionSQL); seen != want {
			c.Errorf("%s runs %s, %s runs %s", primary.Name(), want, standby.Name(), seen)
		}
	}
}
