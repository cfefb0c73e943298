// Package attach makes a target of the conformance suite out of servers that
// run already, given as connection strings: a managed service, a cluster of
// Patroni, another host. It links no container engine.
//
// A target made here has no operator: checks that stop or break servers are
// skipped with that reason. Of the others, those run that the given role may:
// an ordinary role with CREATE on its database, one with pg_monitor, a
// superuser see more of the suite in this order.
package attach

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Errors of Target. They come with the name of the server.
var (
	ErrConnectionString = errors.New("not a connection string that can be used")
	ErrConnection       = errors.New("server cannot be used")
	ErrNotPrimary       = errors.New("server is in recovery: it is a standby, not the primary")
	ErrNotStandby       = errors.New("server is not in recovery: it is a primary, not a standby")
	ErrTooOld           = errors.New("server is older than PostgreSQL 13, the oldest version that the checks know")
	ErrOtherDatabase    = errors.New("the connection strings name different databases")
	ErrSameServer       = errors.New("two connection strings lead to the same server")
	ErrPublished        = errors.New("the publication is FOR ALL TABLES, those of the checks too, which no subscriber has: name another database, or run read-only")
	ErrRights           = errors.New("the role may not create a schema in this database: grant it CREATE, or run read-only")
	ErrReplicator       = errors.New("the replication role cannot replicate")
)

// Options name the servers and say what a run may do with them.
type Options struct {
	Primary    string   // connection string, as libpq takes it; its environment and files count too
	Standbys   []string // at least one
	Replicator conformance.Replicator
	ReadOnly   bool // create and change nothing
	Exclusive  bool // nobody else uses the servers: checks may change their parameters
}

// Target asks the servers who they are. It creates nothing. The caller closes
// the target's pair.
//
// Errors: those above, pair.ErrOtherCluster, pair.ErrNoStandby, and
// pair.ErrTwoPrimaries beside ErrNotStandby. Passwords are in none of them.
func Target(ctx context.Context, options Options) (*conformance.Target, error) {
	if len(options.Standbys) == 0 {
		return nil, fmt.Errorf("attach: %w: no connection string of a standby is given", pair.ErrNoStandby)
	}
	primary, err := node("primary", options.Primary, options.ReadOnly)
	if err != nil {
		return nil, err
	}
	servers := &pair.Pair{Primary: primary}
	for i, text := range options.Standbys {
		role := "standby"
		if len(options.Standbys) > 1 {
			role += strconv.Itoa(i + 1)
		}
		standby, err := node(role, text, options.ReadOnly)
		if err != nil {
			return nil, err
		}
		servers.Standbys = append(servers.Standbys, standby)
	}
	target := &conformance.Target{
		Name: "attached", Pair: servers, Replicator: options.Replicator,
		ReadOnly: options.ReadOnly, Exclusive: options.Exclusive,
	}
	if err := identify(ctx, target); err != nil {
		servers.Close()
		return nil, err
	}
	return target, nil
}
