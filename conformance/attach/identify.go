package attach

import (
	"context"
	"fmt"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// oldest is the first version whose outcomes the checks know, as in server_version_num.
const oldest = 130000

// answerLimit bounds the first question to a server, once it is connected.
const answerLimit = 10 * time.Second

// session is what tells a session's place from that of another.
type session struct {
	Database  string    `db:"database"`
	Started   time.Time `db:"started"` // to the microsecond: it tells a server from any other
	Creates   bool      `db:"creates"`
	Publishes string    `db:"publishes"` // the publications that every new table is in
}

// A subscriber to a publication of all tables looks for each by its name, and
// stops for good where it has none.
//
// Source: PostgreSQL documentation, "Logical Replication", "Subscription".
const sessionSQL = `
SELECT current_database()::text AS database,
       pg_postmaster_start_time() AS started,
       has_database_privilege(current_database(), 'CREATE') AS creates,
       (SELECT COALESCE(string_agg(pubname, ', ' ORDER BY pubname), '') FROM pg_publication WHERE puballtables) AS publishes`

// server is a node with what it says of itself.
type server struct {
	node *pair.Node
	pair.Identity
	session
}

// Name is the name of the node.
func (s server) Name() string { return s.node.Name() }

// identify checks that each server is what it was given as, and describes it.
func identify(ctx context.Context, target *conformance.Target) error {
	primary, err := ask(ctx, target.Pair.Primary)
	switch {
	case err != nil:
		return err
	case primary.InRecovery:
		return fmt.Errorf("attach to %s: %w", primary.Name(), ErrNotPrimary)
	}
	target.Topology.Nodes = append(target.Topology.Nodes, conformance.TopologyNode{
		Name: primary.Name(), Role: "primary", Version: primary.Version,
	})
	known := map[time.Time]server{primary.Started: primary}
	for _, node := range target.Pair.Standbys {
		standby, err := ask(ctx, node)
		if err == nil {
			err = compare(primary, standby, known)
		}
		if err != nil {
			return err
		}
		known[standby.Started] = standby
		describe(ctx, target, standby)
	}
	switch {
	case target.ReadOnly:
	case !primary.Creates:
		return fmt.Errorf("attach to %s, database %s: %w", primary.Name(), primary.Database, ErrRights)
	case primary.Publishes != "":
		return fmt.Errorf("attach to %s, database %s, publication %s: %w", primary.Name(), primary.Database, primary.Publishes, ErrPublished)
	}
	for _, one := range target.Topology.Nodes {
		target.Provenance = append(target.Provenance, conformance.Fact{Name: one.Name, Value: "PostgreSQL " + one.Version})
	}
	return replicates(ctx, target)
}

// compare says why a server is no standby of the primary.
func compare(primary, standby server, known map[time.Time]server) error {
	other, twice := known[standby.Started]
	switch {
	case twice && other.SystemIdentifier == standby.SystemIdentifier:
		return fmt.Errorf("attach to %s and %s: %w", other.Name(), standby.Name(), ErrSameServer)
	case standby.SystemIdentifier != primary.SystemIdentifier:
		return fmt.Errorf("attach to %s (%d) and %s (%d): %w", primary.Name(), primary.SystemIdentifier,
			standby.Name(), standby.SystemIdentifier, pair.ErrOtherCluster)
	case !standby.InRecovery:
		return fmt.Errorf("attach to %s and %s: %w: %w", primary.Name(), standby.Name(), pair.ErrTwoPrimaries, ErrNotStandby)
	case standby.Database != primary.Database:
		return fmt.Errorf("attach to %s (database %s) and %s (database %s): %w", primary.Name(), primary.Database,
			standby.Name(), standby.Database, ErrOtherDatabase)
	}
	return nil
}

func describe(ctx context.Context, target *conformance.Target, standby server) {
	target.Topology.Nodes = append(target.Topology.Nodes, conformance.TopologyNode{
		Name: standby.Name(), Role: "standby", Version: standby.Version,
	})
	link := conformance.TopologyLink{From: target.Pair.Primary.Name(), To: standby.Name(), State: "unknown"}
	if receiver, ok, err := standby.node.WALReceiver(ctx); err == nil && ok { // not everybody may see it
		link.Slot, link.State = receiver.SlotName, receiver.Status
		if upstream, _, err := target.Pair.Upstream(ctx, standby.node, receiver); err == nil && upstream != nil {
			link.From = upstream.Name()
		}
	}
	target.Topology.Links = append(target.Topology.Links, link)
}

func ask(ctx context.Context, node *pair.Node) (found server, err error) {
	found.node = node
	limit := answerLimit
	if config, err := node.Config(ctx); err == nil {
		limit += config.ConnectTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	if found.session, err = pair.OneRow[session](ctx, node, sessionSQL); err == nil {
		found.Identity, err = node.Identity(ctx)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	switch {
	case err != nil:
		return found, fmt.Errorf("attach to %s: %w: %w", node.Name(), ErrConnection, err)
	case found.VersionNumber < oldest:
		return found, fmt.Errorf("attach to %s: %w: it is %s", node.Name(), ErrTooOld, found.Version)
	}
	return found, nil
}

// replicates tries the credentials of the replication role: wrong ones would
// fail many checks with a reason that is not the servers'. A pg_hba.conf that
// keeps this host out is no error, checks skip for it.
func replicates(ctx context.Context, target *conformance.Target) error {
	const notAdmitted = "28000"
	role := target.Replicator
	if role.Role == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	connection, err := target.Pair.Primary.ConnectReplication(ctx, pair.AsRole(role.Role, role.Password))
	switch {
	case err == nil:
		return connection.Close(ctx)
	case pair.SQLState(err) == notAdmitted:
		return nil
	}
	return fmt.Errorf("attach to %s as %s: %w: %w", target.Pair.Primary.Name(), role.Role, ErrReplicator, err)
}
