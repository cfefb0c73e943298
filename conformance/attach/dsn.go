package attach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// node is the server behind a connection string.
func node(role, text string, readOnly bool) (*pair.Node, error) {
	config, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("read connection string of the %s: %w: %w", role, ErrConnectionString, err)
	}
	if readOnly {
		// What slips through the choice of checks is refused by the server.
		config.RuntimeParams["default_transaction_read_only"] = "on"
	}
	name := role + " " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	return pair.NewNode(name, func(context.Context) (*pgx.ConnConfig, error) { return config, nil }), nil
}

var (
	errEncoding = errors.New("in a URL, characters of a password such as @ : / ? # % are written as %40 %3A %2F %3F %23 %25")
	errWords    = errors.New("want a URL postgres://user@host:port/database, or keywords and values such as host=… dbname=…")
)

// parse reads a connection string. What is wrong with it is told without
// quoting it: a text that cannot be parsed may hold its password anywhere.
func parse(text string) (*pgx.ConnConfig, error) {
	isURL := strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
	if isURL {
		// A password with a bare / ? or # ends the host before the @, and a
		// part of it would pass for a host, a port or a database.
		address, err := url.Parse(text)
		if err != nil || address.User == nil && strings.Contains(text, "@") {
			return nil, errEncoding
		}
	}
	config, err := pgx.ParseConfig(text)
	var wrong *pgconn.ParseConfigError
	switch {
	case err == nil:
		return config, nil
	case !errors.As(err, &wrong):
		return nil, err
	}
	nameless := *wrong
	nameless.ConnString = ""
	said := strings.TrimPrefix(nameless.Error(), "cannot parse ``: ")
	// What is no number is quoted, and may be a part of a password with a blank.
	var number *strconv.NumError
	if errors.As(wrong, &number) {
		said = strings.TrimSuffix(said, " ("+number.Error()+")")
	}
	switch {
	case !strings.HasPrefix(said, "failed to parse as"):
		return nil, errors.New(said)
	case isURL:
		return nil, errEncoding
	}
	return nil, errWords
}
