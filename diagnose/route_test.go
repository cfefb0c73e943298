package diagnose_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// second is a moment of a start, counted in seconds from its beginning.
func second(number float64) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(number * float64(time.Second)))
}

// pairOf is a primary that has answered since a moment, or does not when that
// is 0, and a standby that says one thing every second.
func pairOf(answered float64, primary diagnose.Service, says string) *diagnose.Evidence {
	primary.Name = "primary"
	first := diagnose.Server{Service: primary}
	if answered > 0 {
		first.Answer, first.Answered = &diagnose.Answer{}, second(answered)
	}
	standby := diagnose.Server{Service: diagnose.Service{
		Name: "standby", Command: []string{"until pg_basebackup -R; do sleep 1; done"}, Container: diagnose.Container{State: "running"},
	}}
	for i := range 4 {
		standby.Log = append(standby.Log, diagnose.Line{At: second(float64(i + 1)), Text: says})
	}
	return &diagnose.Evidence{At: second(5), Servers: []diagnose.Server{first, standby}}
}

// TestNamesOfAService tells names that nothing answers to from those that the
// recipe gives otherwise than by the service's name.
func TestNamesOfAService(t *testing.T) {
	const lost = `pg_basebackup: error: could not translate host name "pg_main" to address: Name or service not known`
	named := diagnose.Service{Names: []string{"leader", "pg_main"}}
	for name, test := range map[string]struct {
		evidence   *diagnose.Evidence
		id         string
		conclusive bool
	}{
		"nobody's name, while the primary answers":  {pairOf(1.5, diagnose.Service{}, lost), "wrong-host", true},
		"nobody's name, before the primary answers": {pairOf(0, diagnose.Service{}, lost), "wrong-host", false},
		"nobody's name, said once since":            {pairOf(3.5, diagnose.Service{}, lost), "wrong-host", false},
		"another name of the primary's":             {pairOf(1.5, named, lost), "networks-apart", true},
	} {
		t.Run(name, func(t *testing.T) {
			found := diagnose.Of(test.evidence)
			assert.Equal(t, test.id, found.ID)
			assert.Equal(t, test.conclusive, found.Conclusive)
		})
	}
}

// TestLoopback tells a server that only its own container reaches from one
// that is being initialised, and who is refused.
func TestLoopback(t *testing.T) {
	const (
		refused   = `pg_basebackup: error: connection to server at "primary" (10.0.0.2), port 5432 failed: Connection refused`
		itself    = `pg_basebackup: error: connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused`
		receiver  = `[9] FATAL:  could not connect to the primary server: connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused`
		healthy   = `psql: error: connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused`
		loopback  = `[1] LOG:  listening on IPv4 address "127.0.0.1", port 5432`
		address   = `[1] LOG:  listening on IPv4 address "10.0.0.2", port 5432`
		ready     = `[1] LOG:  database system is ready to accept connections`
		shutdown  = `[1] LOG:  received fast shutdown request`
		untouched = "waiting"
	)
	starts := func(says string, lines ...string) *diagnose.Evidence {
		evidence := pairOf(0, diagnose.Service{}, says)
		for i, line := range lines {
			evidence.Servers[0].Log = append(evidence.Servers[0].Log, diagnose.Line{At: second(0.1 * float64(i+1)), Text: line})
		}
		return evidence
	}
	for name, test := range map[string]struct {
		evidence *diagnose.Evidence
		id       string // of what is proved; empty when nothing is
	}{
		"on loopback alone, a standby refused":   {starts(refused, loopback, ready), "listens-on-loopback"},
		"on loopback alone, nobody refused":      {starts(untouched, loopback, ready), ""},
		"on loopback while it is initialised":    {starts(refused, loopback, ready, shutdown), ""},
		"on loopback and another address":        {starts(refused, loopback, address, ready), ""},
		"on loopback, not ready yet":             {starts(refused, loopback), ""},
		"the standby's base backup from itself":  {pairOf(0.5, diagnose.Service{}, itself), "host-is-itself"},
		"the standby's WAL receiver from itself": {pairOf(0.5, diagnose.Service{}, receiver), "host-is-itself"},
		"a health check of the standby's":        {pairOf(0.5, diagnose.Service{}, healthy), ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := diagnose.Of(test.evidence)
			assert.Equal(t, test.id != "", found.Conclusive, found.Text())
			if test.id != "" {
				assert.Equal(t, test.id, found.ID)
			}
		})
	}
}

func TestFullSharedMemoryIsNoFullDisk(t *testing.T) {
	assert.Equal(t, "shared-memory-full", diagnose.Of(pairOf(0.5, diagnose.Service{}, "[1] FATAL:  could not resize shared memory segment \"/PostgreSQL.1\" to 8 bytes: No space left on device")).ID)
	assert.Equal(t, "disk-full", diagnose.Of(pairOf(0.5, diagnose.Service{}, "PANIC:  could not write to file: No space left on device")).ID)
	assert.False(t, diagnose.Of(pairOf(0.5, diagnose.Service{}, "[7] ERROR:  could not resize shared memory segment \"/PostgreSQL.1\" to 8 bytes: No space left on device")).Conclusive)
}

// TestUnpublishedGoesByThePortOfTheServer looks at the advice only.
func TestUnpublishedGoesByThePortOfTheServer(t *testing.T) {
	for name, test := range map[string]struct {
		service diagnose.Service
		advised bool
	}{
		"its own, published":            {diagnose.Service{Port: 5433, Ports: []uint16{5433}}, false},
		"its own, another published":    {diagnose.Service{Port: 5433, Ports: []uint16{5432}}, true},
		"by default, published":         {diagnose.Service{Ports: []uint16{5432}}, false},
		"by its variables, published":   {diagnose.Service{Environment: map[string]string{"PGPORT": "5434"}, Ports: []uint16{5434}}, false},
		"by default, another published": {diagnose.Service{Ports: []uint16{8080}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			test.service.Image = "postgres:15.8"
			given := diagnose.Advise(&diagnose.Evidence{Servers: []diagnose.Server{{Service: test.service}}})
			assert.Equal(t, test.advised, len(given) > 0)
		})
	}
}
