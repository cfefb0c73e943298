package pair

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

// neutral are the values with which a connection string says nothing, for what
// variables of the environment would say in its place.
//
// Source: PostgreSQL documentation, "Environment Variables"; package pgconn.
var neutral = map[string]string{ //nolint:gochecknoglobals // a constant list
	"application_name": "", "channel_binding": "prefer", "connect_timeout": "0", "max_protocol_version": "", "min_protocol_version": "",
	"options": "", "require_auth": "", "sslmode": "prefer", "sslnegotiation": "postgres", "sslsni": "1", "target_session_attrs": "any", "timezone": "",
}

// elsewhere are files that a connection string may name and that are not this
// process's: those of a standby's primary_conninfo are in its container.
var elsewhere = map[string]string{ //nolint:gochecknoglobals // a constant list
	"passfile": "", "sslcert": "", "sslcertmode": "allow", "sslkey": "", "sslpassword": "", "sslrootcert": "",
}

// ParseConfig reads a connection string by itself: variables and files of
// whoever runs this process play no part, and neither do files that the string
// names. FromDSN has them complete it, as libpq does.
func ParseConfig(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(sealed(dsn))
	if err != nil {
		// A service that cannot be read is the one thing that nothing overrides.
		if service := os.Getenv("PGSERVICE"); service != "" {
			return nil, fmt.Errorf("parse connection string: unset PGSERVICE, which is %q here, or make that service known: %w", service, err)
		}
		return nil, fmt.Errorf("parse connection string: %w", err)
	}
	maps.DeleteFunc(config.RuntimeParams, func(_, value string) bool { return value == "" })
	return config, nil
}

// sealed completes a connection string of either kind.
func sealed(dsn string) string {
	address, err := url.Parse(dsn)
	if err != nil || !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		nobody := map[string]string{"host": "", "port": "", "user": "", "password": "", "dbname": ""}
		return keywords(nobody) + keywords(neutral) + dsn + " " + keywords(elsewhere) // the last one counts
	}
	query := address.Query()
	if password, _ := address.User.Password(); password == "" && !query.Has("password") {
		query.Set("password", "")
	}
	for key, value := range neutral {
		if !query.Has(key) {
			query.Set(key, value)
		}
	}
	for key, value := range elsewhere {
		query.Set(key, value)
	}
	address.RawQuery = query.Encode()
	return address.String()
}

func keywords(settings map[string]string) string {
	var text strings.Builder
	for key, value := range settings {
		fmt.Fprintf(&text, "%s='%s' ", key, value)
	}
	return text.String()
}
