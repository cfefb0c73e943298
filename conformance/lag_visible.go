package conformance

import (
	"slices"
	"time"
)

func lagVisible() []Check {
	return []Check{{
		ID:         "lag/visible-within-bound",
		Obligation: "A committed row must be visible on the standby within a second, 99 times in 100.",
		Level:      Must,
		Source:     "PostgreSQL documentation, Log-Shipping Standby Servers, Asynchronous Behaviour",
		Limit:      3 * time.Minute,
		Each:       true,
		Run:        visibleWithinBound,
	}}
}

const (
	visibleBound   = time.Second
	visibleSamples = 200
	slowSamples    = visibleSamples / 100 // how many may take longer
	nullSamples    = 100
	probePatience  = 30 * time.Second // with a single row

	serverCommitsSQL = `RESET synchronous_commit`

	probeTableSQL = `CREATE TABLE probes (id int PRIMARY KEY)`
	probeWriteSQL = `INSERT INTO probes VALUES ($1)`
	probeReadSQL  = `SELECT count(*) FROM probes WHERE id = $1`
)

// visibleWithinBound measures from the acknowledgement of a commit to the end
// of the first read that sees the row, by one clock. Reads follow each other
// without a pause. The null calibration is the same read on the primary,
// where the row is visible at once: it is what the probe itself costs.
//
// The commit is made with the server's own synchronous_commit, as users do.
func visibleWithinBound(c *C) {
	primary, standby := c.writer(), c.OnStandby()
	primary.Do(probeTableSQL)
	c.Replay()
	primary.Do(serverCommitsSQL)
	probe := 0
	sample := func(reader *Session) time.Duration {
		probe++
		primary.Do(probeWriteSQL, probe)
		committed := time.Now()
		for Value[int64](reader, probeReadSQL, probe) == 0 {
			if waited := time.Since(committed); waited > probePatience {
				c.Fatalf("row %d is not visible on %s after %s", probe, reader.node.Name(), waited)
			}
		}
		return time.Since(committed)
	}
	// The first use of a statement prepares it, which is no part of the lag.
	sample(standby)
	sample(primary)
	var null, visible []time.Duration
	for range nullSamples {
		null = append(null, sample(primary))
	}
	slow := 0
	for len(visible) < visibleSamples && slow <= slowSamples {
		visible = append(visible, sample(standby))
		if visible[len(visible)-1] > visibleBound {
			slow++
		}
	}
	c.Series("commit-to-visible", "commit", "ms", inOrder(visible))
	slices.Sort(null)
	slices.Sort(visible)
	for _, figure := range []struct {
		name    string
		percent int
	}{{"p50", 50}, {"p95", 95}, {"p99", 99}, {"max", 100}} {
		c.Measure(figure.name, milliseconds(quantile(visible, figure.percent)), "ms")
		c.Measure("null-"+figure.name, milliseconds(quantile(null, figure.percent)), "ms")
	}
	c.Measure("samples", float64(len(visible)), "")
	if slow > slowSamples {
		c.Errorf("%d of %d rows took longer than %s to be visible on %s, the median took %s", slow, len(visible), visibleBound,
			c.Pair().Standby().Name(), quantile(visible, 50))
	}
}

// inOrder numbers what was measured, from 1, in milliseconds.
func inOrder(measured []time.Duration) [][2]float64 {
	points := make([][2]float64, 0, len(measured))
	for i, one := range measured {
		points = append(points, [2]float64{float64(i + 1), milliseconds(one)})
	}
	return points
}

// quantile gives the smallest of the sorted values that so many percent of
// them do not exceed: one that was really measured.
func quantile(sorted []time.Duration, percent int) time.Duration {
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}
