package diagnose_test

import (
	"testing"

	"github.com/postgres-master-slave/postgres-master-slave/diagnose"
)

// BenchmarkOf is what one look at a start costs, twice a second.
func BenchmarkOf(b *testing.B) {
	evidence := login(1)
	for i := range evidence.Servers {
		for range 200 {
			line := evidence.Servers[1].Log[0]
			line.Text = "2026-01-02 03:04:05.678 UTC [42] LOG:  checkpoint complete: wrote 4 buffers (0.0%); 0 WAL file(s) added"
			evidence.Servers[i].Log = append(evidence.Servers[i].Log, line)
		}
	}
	for b.Loop() {
		diagnose.Of(evidence)
	}
}
