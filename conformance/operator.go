package conformance

import (
	"context"
	"errors"
	"time"
)

// ErrUnavailable says that an operator cannot have what was asked of it here,
// for a reason that is no fault of anybody's.
var ErrUnavailable = errors.New("cannot be had here")

// ErrPortTaken says that somebody else holds a host port that the recipe names.
var ErrPortTaken = errors.New("port is taken on the host")

// Operator is what can stop, break and remove the servers of a target.
// Nodes are named as in the target's pair. The suite declares what it needs,
// so that an operator can be written for any platform.
type Operator interface {
	Observer
	Lifecycle
	Injector
}

// Observer sees the servers from outside.
type Observer interface {
	// Inspect tells the state of a node's container.
	Inspect(ctx context.Context, node string) (Container, error)
	// Logs gives what the node has logged since a moment; the zero time is all.
	Logs(ctx context.Context, node string, since time.Time) (string, error)
	// Exec runs a command beside the server and waits for its end.
	// A command that ran and failed is no error: see Execution.ExitCode.
	// Variables, KEY=value, are added to its environment: a password among the
	// arguments would be in every list of the host's processes.
	Exec(ctx context.Context, node string, variables []string, command ...string) (Execution, error)
	// Run runs a command on what a node has while its server is stopped: in a
	// container of its own, with the node's image, account, variables, volumes
	// and networks, where other nodes are found under their names. It waits for
	// its end; a command that ran and failed is no error.
	Run(ctx context.Context, node string, variables []string, command ...string) (Execution, error)
	// Ready is when the running pair was first found ready, by a wait that
	// began as soon as its containers had been started.
	Ready() time.Time
}

// Lifecycle makes and removes all servers at once.
type Lifecycle interface {
	// StopAll stops every node, as the first half of removing them does.
	StopAll(ctx context.Context) error
	// Remove stops and removes everything, volumes included. Nothing left to
	// remove is no error.
	Remove(ctx context.Context) error
	// Discard does so by force: nobody wants to know how the servers end.
	Discard(ctx context.Context) error
	// RemoveKeepingVolumes stops and removes everything but the named volumes.
	RemoveKeepingVolumes(ctx context.Context) error
	// Leftovers names containers, networks and volumes that still exist.
	Leftovers(ctx context.Context) ([]string, error)
	// Up makes all servers of the target run as asked and returns when the
	// pair is ready. Servers that do so already are left alone, any others are
	// discarded first, volumes included, and made again under the same names,
	// so that data which survived would show. ErrPortTaken comes before all that.
	// ErrUnavailable is the answer to a DataSize that cannot be had.
	Up(ctx context.Context, instance Instance) error
	// UpAgain creates and starts what is missing, with the volumes that are
	// there. It does not wait for the servers.
	UpAgain(ctx context.Context) error
	// Create discards everything and creates it anew without starting it: Start
	// then chooses the order.
	Create(ctx context.Context) error
}

// Instance says how servers are to run.
type Instance struct {
	// LiteralPorts publishes the ports that the recipe names. Without it any
	// ports will do.
	LiteralPorts bool
	// DataSize keeps the data directory of the primary on a volume of so many
	// bytes, so that it can be full. Without it any size will do.
	DataSize int64
}

// Container is the state of one node's container.
type Container struct {
	State        string // created, running, paused, restarting, exited, dead
	ExitCode     int
	OOMKilled    bool
	Health       string   // starting, healthy, unhealthy; empty without a health check
	Probe        []string // the command of the health check, as compose writes it; empty without one
	Addresses    []string // where the other nodes reach it
	ImageID      string
	Grace        time.Duration     // between the stop signal and SIGKILL
	Restart      string            // restart policy
	SharedMemory int64             // size of /dev/shm in bytes; 0 where nobody knows
	Ports        []PublishedPort   // as published on the host now
	Literal      []PublishedPort   // as the recipe names them, whatever is published now
	Mounts       []Mount           // as the recipe names them; nil where nobody knows
	Env          map[string]string // as configured
	Command      []string
	Started      time.Time
}

// restarted says whether the platform starts the container again when it ends by itself.
func (s Container) restarted() bool { return s.Restart != "" && s.Restart != "no" }

// gone says whether the container has ended for good.
func (s Container) gone() bool {
	return (s.State == "exited" || s.State == "dead") && !s.restarted()
}

// published finds where a port that the recipe names is published now.
func (s Container) published(literal PublishedPort) (at PublishedPort, found bool) {
	for _, port := range s.Ports {
		if port.HostPort == literal.HostPort && port.Port == literal.Port {
			return port, true
		}
	}
	return PublishedPort{}, false
}

// Mount is what the recipe has at a path of the container.
type Mount struct {
	Target   string
	Outlives string // what of the host's or the engine's it is that stays when the recipe is removed with its volumes; empty for nothing
}

// PublishedPort is one address of the host that leads to a port of the container.
type PublishedPort struct {
	HostAddress string // as the engine binds it
	HostPort    uint16
	Port        uint16 // in the container
}

// clashes says whether both cannot be had at the same time.
func (p PublishedPort) clashes(other PublishedPort) bool {
	all := func(address string) bool { return address == "" || address == "0.0.0.0" || address == "::" }
	return p.HostPort == other.HostPort &&
		(p.HostAddress == other.HostAddress || all(p.HostAddress) || all(other.HostAddress))
}

// Execution is a command that ran to its end.
type Execution struct {
	ExitCode int
	Stdout   string
	Stderr   string
}
