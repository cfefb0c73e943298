// Package attach makes a target of the conformance suite out of servers that
// run already, given as connection strings: a managed service, a cluster of
// Patroni, another host. It links no container engine.
//
// A target made here has no operator: checks that stop or break servers are
// skipped with that reason.
package attach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// Errors of Target. They come with the name of the server.
var (
	ErrConnection = errors.New("server cannot be used")
	ErrNotPrimary = errors.New("server is in recovery: it is a standby, not the primary")
	ErrNotStandby = errors.New("server is not in recovery: it is a primary, not a standby")
	ErrTooOld     = errors.New("server is older than PostgreSQL 13, the oldest version that the checks know")
)

// oldest is the first version whose outcomes the checks know, as in server_version_num.
const oldest = 130000

// answerLimit bounds the first question to a server.
const answerLimit = 10 * time.Second

// Options name the servers and say what a run may do with them.
type Options struct {
	Primary    string   // connection string, as libpq takes it; its environment and files count too
	Standbys   []string // at least one
	Replicator conformance.Replicator
	ReadOnly   bool // create and change nothing
	Exclusive  bool // nobody else uses the servers: checks may change their parameters
}

// Target asks the servers who they are. The caller closes the target's pair.
//
// Errors: ErrConnection, ErrNotPrimary, ErrNotStandby, ErrTooOld,
// pair.ErrOtherCluster, pair.ErrNoStandby. Passwords are in none of them.
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
		name := "standby"
		if len(options.Standbys) > 1 {
			name += strconv.Itoa(i + 1)
		}
		standby, err := node(name, text, options.ReadOnly)
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

// node is the server behind a connection string.
func node(role, text string, readOnly bool) (*pair.Node, error) {
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("read connection string of the %s: %w: %w", role, ErrConnection, err)
	}
	if readOnly {
		// What slips through the choice of checks is refused by the server.
		config.RuntimeParams["default_transaction_read_only"] = "on"
	}
	name := role + " " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	return pair.NewNode(name, func(context.Context) (*pgx.ConnConfig, error) { return config.Copy(), nil }), nil
}

// identify checks that each server is what it was given as, and describes it.
func identify(ctx context.Context, target *conformance.Target) error {
	primary, err := identity(ctx, target.Pair.Primary)
	switch {
	case err != nil:
		return err
	case primary.InRecovery:
		return fmt.Errorf("attach to %s: %w", target.Pair.Primary.Name(), ErrNotPrimary)
	}
	target.Topology.Nodes = append(target.Topology.Nodes, conformance.TopologyNode{
		Name: target.Pair.Primary.Name(), Role: "primary", Version: primary.Version,
	})
	for _, standby := range target.Pair.Standbys {
		found, err := identity(ctx, standby)
		switch {
		case err != nil:
			return err
		case !found.InRecovery:
			return fmt.Errorf("attach to %s: %w", standby.Name(), ErrNotStandby)
		case found.SystemIdentifier != primary.SystemIdentifier:
			return fmt.Errorf("attach to %s (%d) and %s (%d): %w", target.Pair.Primary.Name(), primary.SystemIdentifier,
				standby.Name(), found.SystemIdentifier, pair.ErrOtherCluster)
		}
		target.Topology.Nodes = append(target.Topology.Nodes, conformance.TopologyNode{
			Name: standby.Name(), Role: "standby", Version: found.Version,
		})
		link := conformance.TopologyLink{From: target.Pair.Primary.Name(), To: standby.Name(), State: "unknown"}
		if receiver, ok, err := standby.WALReceiver(ctx); err == nil && ok {
			link.Slot, link.State = receiver.SlotName, receiver.Status
		}
		target.Topology.Links = append(target.Topology.Links, link)
	}
	for _, one := range target.Topology.Nodes {
		target.Provenance = append(target.Provenance, conformance.Fact{Name: one.Name, Value: "PostgreSQL " + one.Version})
	}
	return nil
}

func identity(ctx context.Context, node *pair.Node) (pair.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	found, err := node.Identity(ctx)
	switch {
	case err != nil:
		return found, fmt.Errorf("attach to %s: %w: %w", node.Name(), ErrConnection, err)
	case found.VersionNumber < oldest:
		return found, fmt.Errorf("attach to %s: %w: it is %s", node.Name(), ErrTooOld, found.Version)
	}
	return found, nil
}
