package conformance

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// recipeChecks is the chapter "recipe": what the recipe's text says is what
// its users get.
func recipeChecks() []Check {
	return []Check{
		{
			ID:         "recipe/literal-ports",
			Obligation: "The ports that the recipe names must lead to the primary and to the standby.",
			Level:      Must,
			Needs:      Needs{Operator: true, Exclusive: true},
			Limit:      teardownLimit,
			Source:     "the recipe; compose specification: ports",
			Run:        literalPorts,
		},
		{
			ID:         "recipe/data-go-with-volumes",
			Obligation: "The data of every server should be on volumes of the project, so that removing it with its volumes leaves no old cluster to the next start.",
			Level:      Should,
			Needs:      Needs{Operator: true},
			Source:     "docker compose down --volumes; compose specification: volumes, external",
			Run:        dataGoWithVolumes,
		},
	}
}

const (
	// A server's start, to the microsecond, tells it from any other.
	startTimeSQL = `SELECT pg_postmaster_start_time()::text`
	portSQL      = `SELECT current_setting('port')::int`
)

// literalPorts asks for the servers on the ports that the recipe names. In
// the core profile teardown/up-again-is-fresh has put them there already.
func literalPorts(c *C) {
	c.portsDiffer()
	err := c.Operator().Up(c.ctx, Instance{LiteralPorts: true})
	switch {
	case errors.Is(err, ErrPortTaken) && os.Getenv("CI") == "true":
		c.Fatalf("%v; with CI=true the ports must be free", err)
	case errors.Is(err, ErrPortTaken):
		c.Skipf("%v", err)
	}
	c.Harness(err)
	if !slices.ContainsFunc(c.Pair().Nodes(), func(node *pair.Node) bool { return len(c.inspect(node).Literal) > 0 }) {
		c.Skipf("the recipe names no port of the host")
	}
	for _, node := range c.Pair().Nodes() {
		state := c.inspect(node)
		want, port := ask[string](c, node, startTimeSQL), ask[int](c, node, portSQL)
		tried := 0
		for _, literal := range state.Literal {
			if int(literal.Port) != port {
				continue // some other service of the container
			}
			tried++
			at, published := state.published(literal)
			if !published {
				c.Errorf("port %d of the host must lead to %s: it is not published; published: %+v", literal.HostPort, node.Name(), state.Ports)
				continue
			}
			if seen, err := c.startTimeAt(node, at); err != nil || seen != want {
				c.Errorf("port %d of the host must lead to %s, started %s: it leads to a server started %q (%v); published: %+v",
					literal.HostPort, node.Name(), want, seen, err, state.Ports)
			}
		}
		if tried == 0 {
			c.Errorf("recipe names no port of the host for %s: %+v", node.Name(), state.Literal)
		}
	}
	c.write()
	c.Replay()
}

// portsDiffer fails the check when two servers name one port of the host: the
// engine would say of the second that somebody holds it, which is no excuse.
func (c *C) portsDiffer() {
	type holder struct {
		node *pair.Node
		port PublishedPort
	}
	var holders []holder
	for _, node := range c.Pair().Nodes() {
		for _, port := range c.inspect(node).Literal {
			for _, other := range holders {
				if other.node != node && other.port.clashes(port) {
					c.Fatalf("%s and %s both publish port %d of the host: only one of them can have it", other.node.Name(), node.Name(), port.HostPort)
				}
			}
			holders = append(holders, holder{node, port})
		}
	}
}

func dataGoWithVolumes(c *C) {
	for _, node := range c.Pair().Nodes() {
		mounts := c.inspect(node).Mounts
		if mounts == nil {
			c.Skipf("nobody knows what the recipe keeps the data of %s on", node.Name())
		}
		directory := ask[string](c, node, dataDirectorySQL)
		if on := mountOf(mounts, directory); on.Outlives != "" {
			c.Errorf("%s of %s is in %s: `docker compose down -v` leaves it, and the next `up` finds an old cluster", directory, node.Name(), on.Outlives)
		}
	}
}

// mountOf is the mount that a directory of a container is on, the one without
// a target where it is on none.
func mountOf(mounts []Mount, directory string) (on Mount) {
	for _, one := range mounts {
		target := path.Clean(one.Target)
		if (directory == target || target == "/" || strings.HasPrefix(directory, target+"/")) && len(target) > len(on.Target) {
			on = Mount{Target: target, Outlives: one.Outlives}
		}
	}
	return on
}

// startTimeAt asks the server behind a port of the host, as a node's user, for its start.
func (c *C) startTimeAt(node *pair.Node, at PublishedPort) (started string, err error) {
	session, err := node.Connect(c.ctx, func(config *pgx.ConnConfig) {
		config.Host, config.Port = at.HostAddress, at.HostPort
		for _, fallback := range config.Fallbacks {
			fallback.Host, fallback.Port = at.HostAddress, at.HostPort
		}
	})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, session.Close(c.ctx)) }()
	err = session.QueryRow(c.ctx, startTimeSQL).Scan(&started)
	return started, err
}
