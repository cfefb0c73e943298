package live

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// crew is the servers of a stack as checks see them, whoever runs the stack.
type crew struct {
	engine *stack.Engine
	at     func() containers // the stack of now
	model  stack.Model
	roles  Roles
	logins logins
	nodes  []*pair.Node
	target *conformance.Target
	ready  time.Time
}

// containers are what a stack of any kind runs, by service.
type containers interface {
	Name() string
	Inspect(ctx context.Context, service string) (stack.Container, error)
	Reach(ctx context.Context, service string, port uint16) (stack.Endpoint, error)
	Logs(ctx context.Context, service string, since time.Time) (string, error)
	Exec(ctx context.Context, service string, variables []string, command ...string) (stack.Execution, error)
	Stop(ctx context.Context, service string) error
	Start(ctx context.Context, service string) error
	Restart(ctx context.Context, service string) error
	Kill(ctx context.Context, service, signal string) error
	Pause(ctx context.Context, service string) error
	Unpause(ctx context.Context, service string) error
}

// enlist finds the servers among the services, and makes a node of each.
// Errors: ErrNoServer.
func (c *crew) enlist() error {
	found, err := servers(c.model, c.roles)
	if err != nil {
		return err
	}
	for _, server := range found {
		c.nodes = append(c.nodes, c.node(server))
	}
	c.logins.servers, c.logins.read = found, c.read
	return nil
}

// discover asks the servers who they are and waits until the pair replicates.
func (c *crew) discover(ctx context.Context) (*pair.Pair, error) {
	found, err := pair.Discover(ctx, c.nodes...)
	if err != nil {
		return nil, err
	}
	if err := c.roles.check(found.Primary.Name()); err != nil {
		return nil, err
	}
	c.logins.adopt(found)
	if err := found.WaitReady(ctx); err != nil {
		return nil, err
	}
	err = found.SortStandbys(ctx)
	return found, err
}

// present makes a target of a pair that replicates.
func (c *crew) present(ctx context.Context, found *pair.Pair) (err error) {
	c.ready = time.Now()
	c.target.Pair = found
	if c.target.Replicator, err = c.replicator(ctx, found.Standby()); err != nil {
		return err
	}
	c.target.Provenance, c.target.Topology, err = c.provenance(ctx)
	return err
}

func (c *crew) Ready() time.Time { return c.ready }

func (c *crew) Inspect(ctx context.Context, node string) (conformance.Container, error) {
	state, err := c.at().Inspect(ctx, node)
	if err != nil {
		return conformance.Container{}, err
	}
	seen := conformance.Container{
		State: state.State, ExitCode: state.ExitCode, OOMKilled: state.OOMKilled, Health: state.Health,
		ImageID: state.ImageID, Grace: state.Grace, Restart: state.Restart,
		SharedMemory: state.SharedMem, Env: state.Env, Command: state.Command, Literal: c.literalPorts(node), Mounts: c.mounts(node),
		Started: state.Started, Probe: state.Probe, Addresses: state.Addresses,
	}
	for _, port := range state.Ports {
		seen.Ports = append(seen.Ports, conformance.PublishedPort{
			HostAddress: port.Address, HostPort: port.Port, Port: port.Target,
		})
	}
	return seen, nil
}

// literalPorts are the host ports that the recipe names for a service.
func (c *crew) literalPorts(service string) []conformance.PublishedPort {
	const bits = 16
	var named []conformance.PublishedPort
	for _, port := range c.model.Services[service].Ports {
		published, err := strconv.ParseUint(port.Published, 10, bits)
		if err != nil {
			continue // none, or a range of which any will do
		}
		named = append(named, conformance.PublishedPort{
			HostAddress: port.HostAddress, HostPort: uint16(published), Port: port.Target,
		})
	}
	return named
}

// mounts are what the recipe mounts in a service's container. A swarm keeps
// all volumes when a stack is removed: there is nothing to tell of it.
func (c *crew) mounts(service string) []conformance.Mount {
	one, known := c.model.Services[service]
	if !known {
		return nil
	}
	mounts := []conformance.Mount{}
	for _, mount := range one.Mounts {
		outlives := ""
		switch {
		case mount.Type == "bind":
			outlives = "folder " + mount.Source + " of the host"
		case slices.Contains(c.model.External, mount.Source):
			outlives = "external volume " + mount.Source
		}
		mounts = append(mounts, conformance.Mount{Target: mount.Target, Outlives: outlives})
	}
	return mounts
}

// port is where a service's server listens.
func (c *crew) port(service string) uint16 {
	for _, server := range c.logins.servers {
		if server.Name == service {
			return server.port
		}
	}
	return serverPort
}

func (c *crew) Logs(ctx context.Context, node string, since time.Time) (string, error) {
	return c.at().Logs(ctx, node, since)
}

func (c *crew) Exec(ctx context.Context, node string, variables []string, command ...string) (conformance.Execution, error) {
	ended, err := c.at().Exec(ctx, node, variables, command...)
	return conformance.Execution(ended), err
}

// forget closes connections that are about to break.
func (c *crew) forget() {
	for _, node := range c.nodes {
		node.Close()
	}
}

func (c *crew) Stop(ctx context.Context, node string) error {
	defer c.forgetNode(node)
	return c.at().Stop(ctx, node)
}

func (c *crew) Start(ctx context.Context, node string) error {
	return c.at().Start(ctx, node)
}

func (c *crew) Restart(ctx context.Context, node string) error {
	defer c.forgetNode(node)
	return c.at().Restart(ctx, node)
}

func (c *crew) Kill(ctx context.Context, node, signal string) error {
	defer c.forgetNode(node)
	return c.at().Kill(ctx, node, signal)
}

func (c *crew) Pause(ctx context.Context, node string) error {
	return c.at().Pause(ctx, node)
}

func (c *crew) Unpause(ctx context.Context, node string) error {
	return c.at().Unpause(ctx, node)
}

// rerouteNode drops connections to a server whose published port may have
// moved to another network.
func (c *crew) rerouteNode(name string) {
	for _, node := range c.nodes {
		if node.Name() == name {
			node.Reset()
		}
	}
}

// forgetNode closes connections to a server that has ended or changed.
func (c *crew) forgetNode(name string) {
	for _, node := range c.nodes {
		if node.Name() == name {
			node.Close()
		}
	}
}
