package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestConnectsTo(t *testing.T) {
	const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for name, test := range map[string]struct {
		connections string
		connects    bool
	}{
		"nothing":                   {header, false},
		"a listener on the port":    {header + "   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999\n", false},
		"a client of the port":      {header + "   1: 0300A8C0:1538 0200A8C0:D431 01 00000000:00000000 00:00000000 00000000   999\n", false},
		"a connection to the port":  {header + "   1: 0300A8C0:D431 0200A8C0:1538 01 00000000:00000000 00:00000000 00000000   999\n", true},
		"an attempt over IPv6":      {header + "   0: 00:D431 0000000000000000FFFF00000200A8C0:1538 02 0:0 00:0 0   999\n", true},
		"a connection to another":   {header + "   1: 0300A8C0:D431 0200A8C0:11538 01 0:0 00:0 0   999\n", false},
		"a line that is cut short":  {"   1: 0300A8C0:D431\n", false},
		"a port that ends the same": {header + "   1: 0300A8C0:D431 0200A8C0:0538 01 0:0 00:0 0   999\n", false},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.connects, connectsTo(test.connections, 5432)) })
	}
}

func TestPhaseOfAnInitialisation(t *testing.T) {
	const (
		starting = "2026-11-25 20:00:00.000 UTC [50] LOG:  starting PostgreSQL 15.20\n"
		socket   = "2026-11-25 20:00:00.001 UTC [50] LOG:  listening on Unix socket \"/var/run/postgresql/.s.PGSQL.5432\"\n"
		ready    = "2026-11-25 20:00:00.100 UTC [50] LOG:  database system is ready to accept connections\n"
		stopped  = "2026-11-25 20:00:00.500 UTC [50] LOG:  database system is shut down\n"
		tcp      = "2026-11-25 20:00:00.700 UTC [1] LOG:  listening on IPv4 address \"0.0.0.0\", port 5432\n"
	)
	for name, test := range map[string]struct {
		log  string
		want phase
	}{
		"nothing logged":               {"", noServer},
		"temporary server starts":      {starting + socket, noServer},
		"temporary server answers":     {starting + socket + ready, onSocketOnly},
		"temporary server has stopped": {starting + socket + ready + stopped, noServer},
		"final server listens":         {starting + socket + ready + stopped + tcp, onTCP},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, phaseOf(readLog(test.log))) })
	}
}

func TestProbeCommand(t *testing.T) {
	for name, test := range map[string]struct{ test, want []string }{
		"none":            {nil, nil},
		"switched off":    {[]string{"NONE"}, nil},
		"a command":       {[]string{"CMD", "pg_isready", "-h", "127.0.0.1"}, []string{"pg_isready", "-h", "127.0.0.1"}},
		"a shell command": {[]string{"CMD-SHELL", "pg_isready || exit 1"}, []string{"/bin/sh", "-c", "pg_isready || exit 1"}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, probeCommand(test.test)) })
	}
}

func TestContainerIsGone(t *testing.T) {
	for name, test := range map[string]struct {
		container Container
		gone      bool
	}{
		"running":                              {Container{State: "running"}, false},
		"ended, without a policy":              {Container{State: "exited", ExitCode: 1}, true},
		"ended, and nobody shall restart":      {Container{State: "exited", Restart: "no"}, true},
		"ended, to be started again":           {Container{State: "exited", Restart: "unless-stopped"}, false},
		"ended, being started again":           {Container{State: "restarting", Restart: "always"}, false},
		"created and not yet started":          {Container{State: "created"}, false},
		"ended in a way that cannot be mended": {Container{State: "dead"}, true},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.gone, test.container.gone()) })
	}
}

func TestAcknowledgedCurve(t *testing.T) {
	ledger := &Ledger{writes: []Write{
		{ID: 1, Outcome: Acknowledged, Ended: 1e9}, {ID: 2, Outcome: Unknown, Ended: 2e9}, {ID: 3, Outcome: Acknowledged, Ended: 3e9},
	}}
	assert.Equal(t, [][2]float64{{1, 1}, {3, 2}}, acknowledgedOverTime(ledger.Writes()))
}
