package live

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"

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
// Source: documentation of the Docker Official Image postgres, "Environment Variables".
func (o *operator) node(service stack.Service) *pair.Node {
	user := cmp.Or(service.Environment["POSTGRES_USER"], "postgres")
	password := service.Environment["POSTGRES_PASSWORD"]
	database := cmp.Or(service.Environment["POSTGRES_DB"], user)
	return pair.NewNode(service.Name, func(ctx context.Context) (*pgx.ConnConfig, error) {
		endpoint, err := o.stack().Endpoint(ctx, service.Name, serverPort)
		if err != nil {
			return nil, err
		}
		address := url.URL{
			Scheme: "postgres", User: url.UserPassword(user, password), Path: "/" + database,
			Host: net.JoinHostPort(endpoint.Address, strconv.Itoa(int(endpoint.Port))),
			// Loopback needs no TLS: it is asked for only where the server insists.
			// The usual order would cost a second connection for each login.
			RawQuery: "sslmode=allow",
		}
		return pgx.ParseConfig(address.String())
	})
}

const primaryConnectionSQL = `SELECT current_setting('primary_conninfo', true)`

// replicator reads from the standby how it logs in to the primary. Only a
// superuser may read that: for others the role stays unknown.
func replicator(ctx context.Context, found *pair.Pair) (conformance.Replicator, error) {
	text, err := pair.One[string](ctx, found.Standby(), primaryConnectionSQL)
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
		return conformance.Replicator{}, fmt.Errorf("parse primary_conninfo of %s", found.Standby().Name())
	}
	return conformance.Replicator{Role: config.User, Password: config.Password}, nil
}
