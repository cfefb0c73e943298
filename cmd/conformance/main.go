// Command conformance checks a PostgreSQL primary and its standbys that run
// already: a managed service, a cluster of Patroni, another host. It needs
// nothing but connections to them.
//
//	conformance -primary-dsn DSN -standby-dsn DSN [-standby-dsn DSN]... [flags]
//	conformance -list [-json] [-profile all] [-checks slot,lag/*]
//
// It works in schemas of its own, named conformance_…, which it removes, also
// when it is interrupted. What needs more than the given role may do, somebody
// who can stop servers, or servers that nobody else uses, is skipped with that
// reason. With -read-only nothing is created or changed at all.
//
// A DSN is a URL or keywords and values, as in libpq. What it leaves out comes
// from libpq's environment (PGUSER, PGPASSWORD, PGSERVICE, …), from service
// and password files. These stand in for flags that are not given:
//
//	CONFORMANCE_PRIMARY_DSN          or else PGHOST or PGSERVICE
//	CONFORMANCE_STANDBY_DSN          several are separated by line breaks
//	CONFORMANCE_REPLICATOR_USER
//	CONFORMANCE_REPLICATOR_PASSWORD
//	CONFORMANCE_PROFILE, CONFORMANCE_CHECKS
//
// The reports are those of verify (events.jsonl, results.json, junit.xml,
// summary.md, summary.txt, report.html), and so are the exit codes:
//
//	0        when everything passed,
//	1        when a check failed,
//	2        when nothing failed, but it could not run: wrong arguments, servers
//	         that cannot be used, a check with the verdict error, nothing executed,
//	128 + n  when signal n interrupted it: SIGHUP, SIGINT or SIGTERM.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
	"github.com/postgres-master-slave/postgres-master-slave/report"
	"github.com/postgres-master-slave/postgres-master-slave/report/delivery"
)

func main() {
	code, err := do(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil {
		// One error is one line, also where several attempts at a connection failed.
		fmt.Fprintf(os.Stderr, "conformance: %s\n", report.Mask(strings.Join(strings.Fields(err.Error()), " ")))
	}
	os.Exit(code)
}

func do(arguments []string, stdout, stderr io.Writer) (int, error) {
	asked, err := read(arguments, os.Getenv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return delivery.ExitPassed, nil
	case err != nil:
		return delivery.ExitBroken, err
	case asked.list && asked.json:
		err = conformance.WriteListJSON(stdout, asked.checks)
	case asked.list:
		err = conformance.WriteList(stdout, asked.checks)
	default:
		return verify(asked, stdout)
	}
	if err != nil {
		return delivery.ExitBroken, err
	}
	return delivery.ExitPassed, nil
}
