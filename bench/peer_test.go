package bench_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// peerFiles are the recipe and the overlay that peers run it with.
func peerFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, file := range []string{"../docker/docker-compose.yml", "peer/overlay.yml"} {
		absolute, err := filepath.Abs(file)
		require.NoError(t, err)
		files = append(files, absolute)
	}
	return files
}

// peer is another tool that runs compose files.
type peer struct {
	name string
	// up returns when the tool, as people use it, holds the pair for ready.
	up   func(ctx context.Context, run peerRun) error
	down func(ctx context.Context, run peerRun) error
}

// peerRun is one project of a peer.
type peerRun struct {
	project          string
	environment      []string // the ports, for the overlay
	primary, standby *pgxpool.Pool
}

func (p peer) trial(t *testing.T) trial {
	t.Helper()
	run := newPeerRun(t)
	removed := false
	t.Cleanup(func() {
		if !removed {
			ctx, cancel := afterTest(t)
			defer cancel()
			_ = p.down(ctx, run) // the trial has failed already
		}
	})
	var took trial
	began := time.Now()
	require.NoError(t, p.up(t.Context(), run), p.name)
	took.claimed = time.Since(began)
	prove(t, run.primary, run.standby)
	took.proven = time.Since(began)
	began = time.Now()
	require.NoError(t, p.down(t.Context(), run), p.name)
	took.down = time.Since(began)
	removed = true
	run.primary.Close()
	run.standby.Close()
	left := said(t, "docker", "ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project="+run.project) +
		said(t, "docker", "volume", "ls", "--quiet", "--filter", "label=com.docker.compose.project="+run.project) +
		said(t, "docker", "network", "ls", "--quiet", "--filter", "label=com.docker.compose.project="+run.project)
	require.Empty(t, left, "%s left something behind", p.name)
	return took
}

func newPeerRun(t *testing.T) peerRun {
	t.Helper()
	// Both are held until both are known, so that they differ.
	first, second := freePort(t), freePort(t)
	run := peerRun{project: fmt.Sprintf("bench-%d-%d", os.Getpid(), port(first))}
	run.environment = []string{fmt.Sprintf("PRIMARY_PORT=%d", port(first)), fmt.Sprintf("STANDBY_PORT=%d", port(second))}
	run.primary, run.standby = poolAt(t, port(first)), poolAt(t, port(second))
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
	return run
}

func freePort(t *testing.T) net.Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

func port(listener net.Listener) int {
	address, _ := listener.Addr().(*net.TCPAddr)
	return address.Port
}

func poolAt(t *testing.T, port int) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.WithoutCancel(t.Context()), fmt.Sprintf("postgres://postgres:postgres@127.0.0.1:%d/mydatabase", port))
	require.NoError(t, err)
	return pool
}

// composePeer is the command with the loop that scripts have.
func composePeer(t *testing.T) contender {
	t.Helper()
	files := peerFiles(t)
	compose := func(ctx context.Context, run peerRun, arguments ...string) error {
		all := append([]string{"compose", "-p", run.project, "-f", files[0], "-f", files[1]}, arguments...)
		command := exec.CommandContext(ctx, "docker", all...)
		command.Env = append(os.Environ(), run.environment...)
		output, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("docker %v: %w\n%s", all, err, output)
		}
		return nil
	}
	one := peer{
		name: byCompose,
		up: func(ctx context.Context, run peerRun) error {
			if err := compose(ctx, run, "up", "-d"); err != nil {
				return err
			}
			return pollReplication(ctx, run)
		},
		down: func(ctx context.Context, run peerRun) error { return compose(ctx, run, "down", "-v") },
	}
	return contender{one.name, one.trial}
}

const (
	positionSQL  = `SELECT pg_current_wal_lsn()::text`
	streamingSQL = `SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')`

	pollInterval = 100 * time.Millisecond
	peerPatience = 2 * time.Minute
)

func pollReplication(ctx context.Context, run peerRun) error {
	ctx, cancel := context.WithTimeout(ctx, peerPatience)
	defer cancel()
	return pair.Poll(ctx, pollInterval, func(ctx context.Context) (bool, error) {
		var position string
		if err := run.primary.QueryRow(ctx, positionSQL).Scan(&position); err != nil {
			return false, nil //nolint:nilerr // it is starting
		}
		var streaming bool
		if err := run.standby.QueryRow(ctx, streamingSQL, position).Scan(&streaming); err != nil {
			return false, nil //nolint:nilerr // it is starting
		}
		return streaming, nil
	})
}

// testcontainersPeer is the program in peer/testcontainers. It runs for the
// whole test, as a test process does that has several pairs, and takes orders
// line by line.
func testcontainersPeer(t *testing.T) contender {
	t.Helper()
	executable := filepath.Join(t.TempDir(), "testcontainers")
	said(t, "go", "-C", "peer/testcontainers", "build", "-o", executable, ".")
	process := exec.CommandContext(context.WithoutCancel(t.Context()), executable, peerFiles(t)...)
	process.Env = append(os.Environ(), "TESTCONTAINERS_RYUK_DISABLED=true")
	var log strings.Builder
	process.Stderr = &log
	orders, err := process.StdinPipe()
	require.NoError(t, err)
	answers, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		require.NoError(t, orders.Close())
		require.NoError(t, process.Wait(), log.String())
	})
	lines := bufio.NewScanner(answers)
	order := func(_ context.Context, words ...string) error {
		if _, err := io.WriteString(orders, strings.Join(words, " ")+"\n"); err != nil {
			return err
		}
		if !lines.Scan() || lines.Text() != "done" {
			return fmt.Errorf("%v: it says %q", words, lines.Text())
		}
		return nil
	}
	one := peer{
		name: byTestcontainers,
		up: func(ctx context.Context, run peerRun) error {
			return order(ctx, append([]string{"up", run.project}, run.environment...)...)
		},
		down: func(ctx context.Context, run peerRun) error { return order(ctx, "down", run.project) },
	}
	return contender{one.name, one.trial}
}
