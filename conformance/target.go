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
	Provenance []Fact     // engine, images, versions: shown in every report
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
	superuser bool
	major     int
}

const superuserSQL = `SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER`

func askServer(ctx context.Context, target *Target) (serverFacts, error) {
	identity, err := target.Pair.Primary.Identity(ctx)
	if err != nil {
		return serverFacts{}, fmt.Errorf("ask version: %w", err)
	}
	facts := serverFacts{superuser: true, major: int(identity.VersionNumber) / 10000}
	for _, node := range target.Pair.Nodes() {
		super, err := pair.One[bool](ctx, node, superuserSQL)
		if err != nil {
			return serverFacts{}, fmt.Errorf("ask rights: %w", err)
		}
		facts.superuser = facts.superuser && super
	}
	return facts, nil
}
