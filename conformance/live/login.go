package live

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

// Login is who to be in a server, and in which database.
// What is empty is found in the services' variables.
type Login struct{ User, Password, Database string }

// or fills what is empty from another login.
func (l Login) or(other Login) Login {
	return Login{User: cmp.Or(l.User, other.User), Password: cmp.Or(l.Password, other.Password), Database: cmp.Or(l.Database, other.Database)}
}

// config is how to log in at an endpoint.
func (l Login) config(endpoint stack.Endpoint) (*pgx.ConnConfig, error) {
	user := cmp.Or(l.User, "postgres")
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, l.Password), Path: "/" + cmp.Or(l.Database, user),
		Host: net.JoinHostPort(endpoint.Address, strconv.Itoa(int(endpoint.Port))),
		// Loopback needs no TLS: it is asked for only where the server insists.
		// The usual order would cost a second connection for each login.
		RawQuery: "sslmode=allow",
	}
	return pair.ParseConfig(address.String())
}

// logins finds out with which login each server is entered. A standby's own
// variables need not say: its roles and databases are its primary's.
type logins struct {
	fixed   Login            // what the caller has said
	servers []server         // whose variables may say
	read    readFile         // reads in a service's container
	mutex   sync.Mutex       // guards what follows
	found   map[string]Login // by service
	secrets []string         // every password that was told or read
}

// readFile gives the content of a file in a service's container.
type readFile func(ctx context.Context, service, path string) (string, error)

// config is how to log in to a service's server. Until a login has been found
// to work, it tries them.
func (l *logins) config(ctx context.Context, service string, endpoint stack.Endpoint) (*pgx.ConnConfig, error) {
	if login, known := l.known(service); known {
		return login.config(endpoint)
	}
	candidates, err := l.candidates(ctx, service)
	if err != nil {
		return nil, err
	}
	for _, login := range candidates {
		config, err := login.config(endpoint)
		if err != nil {
			return nil, err
		}
		// One candidate needs no trial: it is what there is.
		if len(candidates) == 1 || enters(ctx, config) {
			l.settle(service, login)
			return config, nil
		}
	}
	return candidates[0].config(endpoint)
}

func (l *logins) known(service string) (Login, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	login, known := l.found[service]
	return login, known
}

func (l *logins) settle(service string, login Login) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.found == nil {
		l.found = map[string]Login{}
	}
	l.found[service] = login
}

// remember keeps passwords, which may stand in no message.
func (l *logins) remember(logins []Login) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, login := range logins {
		if !slices.Contains(l.secrets, login.Password) {
			l.secrets = append(l.secrets, login.Password)
		}
	}
}

// passwords are those that were told or read so far.
func (l *logins) passwords() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return slices.Clone(l.secrets)
}

// enterLimit bounds one trial: what accepts TCP may still say nothing.
const enterLimit = 5 * time.Second

// enters says whether a server lets a login in.
func enters(ctx context.Context, config *pgx.ConnConfig) bool {
	ctx, cancel := context.WithTimeout(ctx, enterLimit)
	defer cancel()
	connection, err := pgx.ConnectConfig(ctx, config)
	return err == nil && connection.Close(ctx) == nil
}

// candidates are the different logins that the services' variables tell, a
// service's own first.
func (l *logins) candidates(ctx context.Context, service string) ([]Login, error) {
	var found []Login
	var failed error
	for _, one := range l.servers {
		variables := readableVariables{service: one.Name, values: one.Environment, read: l.read}
		told, err := variables.logins(ctx)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		for i, login := range told {
			told[i] = l.fixed.or(login)
		}
		if one.Name == service {
			found = slices.Insert(found, 0, told...)
		} else {
			found = append(found, told...)
		}
	}
	l.remember(found)
	var different []Login
	for _, login := range found {
		if !slices.Contains(different, login) {
			different = append(different, login)
		}
	}
	if len(different) == 0 {
		return nil, failed
	}
	return different, nil
}

// readableVariables are a service's variables, which may name files instead.
type readableVariables struct {
	service string
	values  map[string]string
	read    readFile
	err     error
}

// logins are what the variables of the known images say. The superuser of
// an image that has another user beside it comes first.
//
// Source: documentation of the Docker Official Image postgres, "Environment
// Variables", "Docker Secrets"; documentation of bitnami/postgresql.
func (v *readableVariables) logins(ctx context.Context) ([]Login, error) {
	user := v.value(ctx, "POSTGRES_USER", "POSTGRESQL_USERNAME")
	login := Login{
		User:     cmp.Or(user, "postgres"),
		Password: v.value(ctx, "POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"),
		Database: v.value(ctx, "POSTGRES_DB", "POSTGRESQL_DATABASE"),
	}
	found := []Login{login}
	if superuser := v.value(ctx, "POSTGRESQL_POSTGRES_PASSWORD", "POSTGRES_POSTGRES_PASSWORD"); superuser != "" {
		found = slices.Insert(found, 0, Login{User: "postgres", Password: superuser, Database: login.Database})
	}
	return found, v.err
}

// value is the first variable that is set, or the content of the file that
// name_FILE names.
func (v *readableVariables) value(ctx context.Context, names ...string) string {
	for _, name := range names {
		if value := v.values[name]; value != "" {
			return value
		}
		if file := v.values[name+"_FILE"]; file != "" {
			text, err := v.read(ctx, v.service, file)
			v.err = errors.Join(v.err, err)
			return strings.TrimRight(text, "\n")
		}
	}
	return ""
}

// adopt gives the standbys of a pair their primary's login: they are its copies.
func (l *logins) adopt(found *pair.Pair) {
	login, known := l.known(found.Primary.Name())
	if !known {
		return
	}
	for _, standby := range found.Standbys {
		if had, _ := l.known(standby.Name()); had != login {
			l.settle(standby.Name(), login)
			standby.Close()
		}
	}
}
