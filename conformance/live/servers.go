package live

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgpassfile"
	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// serverPort is where PostgreSQL listens unless told otherwise.
const serverPort = 5432

// server is a service that runs PostgreSQL.
type server struct {
	stack.Service
	port uint16 // where it listens in its container
}

var (
	// serverImage finds images of PostgreSQL by the last part of their name.
	serverImage = regexp.MustCompile(`postgres|postgis|timescale|pgvector|spilo`)
	// otherImage finds those that only deal with it: they answer in its place, or not at all.
	otherImage = regexp.MustCompile(`postgrest|pgbouncer|pgpool|pgcat|pgadmin|exporter|backup|barman|operator|haproxy|adminer`)
)

// Servers names the services of a recipe that Start would look for the pair in:
// those that roles name, and unless they name a whole pair those that publish
// PostgreSQL's port or run an image of it. Errors: ErrNoServer.
func Servers(model stack.Model, roles Roles) ([]string, error) {
	found, err := servers(model, roles)
	var names []string
	for _, one := range found {
		names = append(names, one.Name)
	}
	return names, err
}

// servers are the services that run PostgreSQL: the named ones first, then by
// name those that publish its port or run an image of it, unless a whole pair
// is named.
func servers(model stack.Model, roles Roles) ([]server, error) {
	var found []server
	names := slices.Sorted(maps.Keys(model.Services))
	for _, name := range roles.services() {
		service, ok := model.Services[name]
		if !ok {
			return nil, fmt.Errorf("look for server %s: %w: there is only %s", name, ErrNoServer, strings.Join(names, ", "))
		}
		found = append(found, server{Service: service, port: listens(service)})
	}
	if roles.whole() {
		return found, nil
	}
	for _, name := range names {
		if service := model.Services[name]; looksLikeServer(service) && !slices.Contains(roles.services(), name) {
			found = append(found, server{Service: service, port: listens(service)})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("look for servers: %w: there is only %s", ErrNoServer, strings.Join(names, ", "))
	}
	return found, nil
}

func looksLikeServer(service stack.Service) bool {
	image := path.Base(cmp.Or(service.Image, service.Base))
	published := slices.ContainsFunc(service.Ports, func(port stack.Port) bool { return port.Target == serverPort })
	return (published || serverImage.MatchString(image)) && !otherImage.MatchString(image)
}

// portOption finds PostgreSQL's port in a command line.
//
// Source: PostgreSQL documentation, "postgres": -p, -c.
var portOption = regexp.MustCompile(`(?:^|\s)(?:-p\s*|--port=|(?:-c\s*|--)port=)(\d+)(?:\s|$)`)

// listens is the port of a service's server: what its command says, or its
// variables do.
//
// Source: PostgreSQL documentation, "Environment Variables": PGPORT; documentation of bitnami/postgresql.
func listens(service stack.Service) uint16 {
	var told string
	if found := portOption.FindStringSubmatch(strings.Join(service.Command, " ")); found != nil {
		told = found[1]
	}
	told = cmp.Or(told, service.Environment["PGPORT"], service.Environment["POSTGRESQL_PORT_NUMBER"])
	const base, bits = 10, 16
	port, err := strconv.ParseUint(told, base, bits)
	if err != nil || port == 0 {
		return serverPort
	}
	return uint16(port)
}

// node is a service's server, logged in as one of the services' variables say.
func (c *crew) node(service server) *pair.Node {
	return pair.NewNode(service.Name, func(ctx context.Context) (*pgx.ConnConfig, error) {
		endpoint, err := c.at().Reach(ctx, service.Name, service.port)
		if err != nil {
			return nil, err
		}
		return c.logins.config(ctx, service.Name, endpoint)
	})
}

// read gives the content of a file in a service's container.
func (c *crew) read(ctx context.Context, service, path string) (string, error) {
	ended, err := c.at().Exec(ctx, service, nil, "cat", path)
	if err != nil {
		return "", err
	}
	if ended.ExitCode != 0 {
		return "", fmt.Errorf("read %s in %s: exit code %d: %s", path, service, ended.ExitCode, strings.TrimSpace(ended.Stderr))
	}
	return ended.Stdout, nil
}

const primaryConnectionSQL = `SELECT current_setting('primary_conninfo', true)`

// replicator reads from the standby how it logs in to the primary. Only a
// superuser may read that: for others the role stays unknown.
func (c *crew) replicator(ctx context.Context, standby *pair.Node) (conformance.Replicator, error) {
	text, err := pair.One[string](ctx, standby, primaryConnectionSQL)
	const insufficientPrivilege = "42501"
	if pair.SQLState(err) == insufficientPrivilege {
		return conformance.Replicator{}, nil
	}
	if err != nil {
		return conformance.Replicator{}, fmt.Errorf("read primary_conninfo: %w", err)
	}
	config, err := pair.ParseConfig(text)
	if err != nil {
		// It names what only the standby can read, such as a service: the role stays unknown.
		return conformance.Replicator{}, nil //nolint:nilerr // the pair replicates all the same
	}
	if named := passwordFile.FindStringSubmatch(text); named != nil && config.Password == "" {
		config.Password, err = c.password(ctx, standby.Name(), named[1]+named[2], config)
	}
	return conformance.Replicator{Role: config.User, Password: config.Password}, err
}

// passwordFile finds the parameter in a connection string of keywords and values.
//
// Source: PostgreSQL documentation, "Database Connection Control Functions": passfile.
var passwordFile = regexp.MustCompile(`\bpassfile\s*=\s*(?:'([^']*)'|(\S+))`)

// password looks a connection's password up in a password file in the
// standby's container. A file that is not there is one with no password.
//
// Source: PostgreSQL documentation, "The Password File".
func (c *crew) password(ctx context.Context, service, path string, config *pgx.ConnConfig) (string, error) {
	const missing = 1 // exit code of cat
	ended, err := c.at().Exec(ctx, service, nil, "cat", path)
	if err != nil || ended.ExitCode == missing {
		return "", err
	}
	file, err := pgpassfile.ParsePassfile(strings.NewReader(ended.Stdout))
	if err != nil {
		return "", fmt.Errorf("parse password file %s in %s: %w", path, service, err)
	}
	const database = "replication" // what a replication connection is looked up by
	return file.FindPassword(config.Host, strconv.Itoa(int(config.Port)), database, config.User), nil
}
