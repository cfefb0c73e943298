package live

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgpassfile"
	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// serverPort is where PostgreSQL listens in its container.
const serverPort = 5432

// servers are the services that publish PostgreSQL's port, by name.
func servers(model stack.Model) []stack.Service {
	var found []stack.Service
	for _, service := range model.Services {
		if slices.ContainsFunc(service.Ports, func(port stack.Port) bool { return port.Target == serverPort }) {
			found = append(found, service)
		}
	}
	slices.SortFunc(found, func(a, b stack.Service) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

// node is a service's server, logged in as the image's variables say.
//
// Source: documentation of the Docker Official Image postgres, "Environment Variables", "Docker Secrets".
func (o *operator) node(service stack.Service) *pair.Node {
	user := cmp.Or(service.Environment["POSTGRES_USER"], "postgres")
	database := cmp.Or(service.Environment["POSTGRES_DB"], user)
	var secret atomic.Pointer[string] // once read, it holds for every connection
	if file := service.Environment["POSTGRES_PASSWORD_FILE"]; file == "" {
		password := service.Environment["POSTGRES_PASSWORD"]
		secret.Store(&password)
	}
	return pair.NewNode(service.Name, func(ctx context.Context) (*pgx.ConnConfig, error) {
		endpoint, err := o.stack().Endpoint(ctx, service.Name, serverPort)
		if err != nil {
			return nil, err
		}
		if secret.Load() == nil {
			text, err := o.read(ctx, service.Name, service.Environment["POSTGRES_PASSWORD_FILE"])
			if err != nil {
				return nil, err
			}
			password := strings.TrimRight(text, "\n")
			secret.Store(&password)
		}
		address := url.URL{
			Scheme: "postgres", User: url.UserPassword(user, *secret.Load()), Path: "/" + database,
			Host: net.JoinHostPort(endpoint.Address, strconv.Itoa(int(endpoint.Port))),
			// Loopback needs no TLS: it is asked for only where the server insists.
			// The usual order would cost a second connection for each login.
			RawQuery: "sslmode=allow",
		}
		return pgx.ParseConfig(address.String())
	})
}

// read gives the content of a file in a service's container.
func (o *operator) read(ctx context.Context, service, path string) (string, error) {
	ended, err := o.stack().Exec(ctx, service, "cat", path)
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
func (o *operator) replicator(ctx context.Context, standby *pair.Node) (conformance.Replicator, error) {
	text, err := pair.One[string](ctx, standby, primaryConnectionSQL)
	const insufficientPrivilege = "42501"
	if pair.SQLState(err) == insufficientPrivilege {
		return conformance.Replicator{}, nil
	}
	if err != nil {
		return conformance.Replicator{}, fmt.Errorf("read primary_conninfo: %w", err)
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		// The text holds a password, and a parser's error may quote it.
		return conformance.Replicator{}, fmt.Errorf("parse primary_conninfo of %s", standby.Name())
	}
	if named := passwordFile.FindStringSubmatch(text); named != nil && config.Password == "" {
		config.Password, err = o.password(ctx, standby.Name(), named[1]+named[2], config)
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
func (o *operator) password(ctx context.Context, service, path string, config *pgx.ConnConfig) (string, error) {
	const missing = 1 // exit code of cat
	ended, err := o.stack().Exec(ctx, service, "cat", path)
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
