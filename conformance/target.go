package conformance

import (
	"context"
	"fmt"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Target is what is checked.
type Target struct {
	Name       string     // how reports call it
	Pair       *pair.Pair // the servers, logged in as a role that may create a schema
	Operator   Operator   // nil when nobody can stop or break the servers
	Replicator Replicator // zero when unknown
	Exclusive  bool       // nobody else uses the servers
	ReadOnly   bool       // nothing may be created or changed
	Lasting    bool       // the servers are somebody's: none is removed or made anew, whatever a check has left
	Provenance []Fact     // engine, images, versions: shown in every report
	Topology   Topology   // the servers and streams as found: drawn in every report
}

// disposable says whether servers can be thrown away, and others made.
func (t *Target) disposable() bool { return t.Operator != nil && !t.Lasting }

// Topology is what was found, for the reader of a report.
type Topology struct {
	Nodes []TopologyNode `json:"nodes"`
	Links []TopologyLink `json:"links"`
}

// TopologyNode is one server.
type TopologyNode struct {
	Name    string   `json:"name"`
	Role    string   `json:"role"` // primary or standby
	Version string   `json:"version"`
	Image   string   `json:"image,omitempty"`
	Ports   []string `json:"ports,omitempty"`
}

// TopologyLink is a stream of WAL from one node to another.
type TopologyLink struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Slot  string `json:"slot,omitempty"`
	State string `json:"state"`
}

// Replicator is a role that may open a replication connection, as a standby does.
type Replicator struct {
	Role     string
	Password string
}

// Fact is a named value for the reader of a report.
type Fact struct{ Name, Value string }

// serverFacts is what decides whether the needs of a check are met.
type serverFacts struct {
	superuser  bool
	statistics bool // superusers included
	major      int
}

const (
	superuserSQL  = `SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER`
	statisticsSQL = `SELECT pg_has_role('pg_read_all_stats', 'USAGE')`
)

func askServer(ctx context.Context, target *Target) (serverFacts, error) {
	identity, err := target.Pair.Primary.Identity(ctx)
	if err != nil {
		return serverFacts{}, fmt.Errorf("ask version: %w", err)
	}
	facts := serverFacts{superuser: true, statistics: true, major: int(identity.VersionNumber) / 10000}
	for _, node := range target.Pair.Nodes() {
		for right, sql := range map[*bool]string{&facts.superuser: superuserSQL, &facts.statistics: statisticsSQL} {
			has, err := pair.One[bool](ctx, node, sql)
			if err != nil {
				return serverFacts{}, fmt.Errorf("ask rights: %w", err)
			}
			*right = *right && has
		}
	}
	return facts, nil
}
