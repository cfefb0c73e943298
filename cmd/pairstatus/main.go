// Command pairstatus waits until a standby really streams from its primary
// and says who is who, without passwords. It speaks SQL only.
//
//	go run ./cmd/pairstatus -primary URL -standby URL [-wait 2m]
//
// It exits 0 when the pair replicates, 1 with the missing fact when it does
// not, and 2 on wrong usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func main() {
	primary := flag.String("primary", "", "connection URL of the primary")
	standby := flag.String("standby", "", "connection URL of the standby")
	wait := flag.Duration("wait", time.Minute, "how long to wait for the standby to stream")
	flag.Parse()
	if *primary == "" || *standby == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "pairstatus: need -primary URL and -standby URL, and nothing else")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := status(ctx, os.Stdout, *primary, *standby, *wait); err != nil {
		fmt.Fprintf(os.Stderr, "pairstatus: %v\n", err)
		os.Exit(1) //nolint:gocritic // the process ends, so does the handler
	}
}

func status(ctx context.Context, out io.Writer, primaryURL, standbyURL string, limit time.Duration) error {
	primary, err := pair.FromDSN("primary", primaryURL)
	if err != nil {
		return err
	}
	standby, err := pair.FromDSN("standby", standbyURL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	found := &pair.Pair{Primary: primary, Standbys: []*pair.Node{standby}}
	defer found.Close()
	if err := found.WaitReady(ctx); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, one := range []struct {
		node   *pair.Node
		access string
	}{{primary, "read-write"}, {standby, "read-only, streams from the primary"}} {
		identity, err := one.node.Identity(ctx)
		if err != nil {
			return err
		}
		config, err := one.node.Config(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\tPostgreSQL %s\t%s\n", one.node.Name(), address(config), identity.Version, one.access)
	}
	return table.Flush()
}

// address is where a connection goes, as a URL without its password.
func address(config *pgx.ConnConfig) string {
	shown := url.URL{
		Scheme: "postgres", User: url.User(config.User), Path: "/" + config.Database,
		Host: net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))),
	}
	return shown.String()
}
