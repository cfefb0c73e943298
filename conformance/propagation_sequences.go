package conformance

func propagationSequences() []Check {
	return []Check{{
		ID: "propagation/sequences",
		Obligation: "A sequence on the standby must never be behind the primary's: nextval shows as the end of what the " +
			"primary has logged ahead, setval as the exact value.",
		Level:  Must,
		Source: "PostgreSQL documentation, CREATE SEQUENCE; PostgreSQL's own recovery tests",
		Run:    sequencesArrive,
	}}
}

const (
	sequencesSQL = `
CREATE SEQUENCE counted;
CREATE SEQUENCE cached CACHE 10;
CREATE SEQUENCE downward INCREMENT BY -1;
CREATE SEQUENCE chosen;
CREATE SEQUENCE restarted;
CREATE TABLE numbered (id serial, identity int GENERATED ALWAYS AS IDENTITY, note text)`

	sequenceStateSQL = `
SELECT state FROM (
SELECT concat_ws(' ', 'counted', last_value, log_cnt, is_called) FROM counted
 UNION ALL
SELECT concat_ws(' ', 'cached', last_value, log_cnt, is_called) FROM cached
 UNION ALL
SELECT concat_ws(' ', 'chosen', last_value, log_cnt, is_called) FROM chosen
 UNION ALL
SELECT concat_ws(' ', 'downward', last_value, log_cnt, is_called) FROM downward
 UNION ALL
SELECT concat_ws(' ', 'identity', last_value, log_cnt, is_called) FROM numbered_identity_seq
 UNION ALL
SELECT concat_ws(' ', 'restarted', last_value, log_cnt, is_called) FROM restarted
 UNION ALL
SELECT concat_ws(' ', 'serial', last_value, log_cnt, is_called) FROM numbered_id_seq) AS every (state)
 ORDER BY state COLLATE "C"`

	useSequencesSQL = `
SELECT nextval('counted'), nextval('cached'), nextval('downward');
INSERT INTO numbered (note) VALUES ('first');
SELECT setval('chosen', 1000)`

	// exhaustLoggedSQL takes one value more than the first nextval has logged ahead.
	exhaustLoggedSQL = `SELECT max(nextval('counted')) FROM generate_series(2, 34)`

	countedSQL = `SELECT last_value FROM counted`

	resetSequencesSQL = `
SELECT setval('chosen', 7, false);
SELECT nextval('restarted');
ALTER SEQUENCE restarted RESTART WITH 500`
)

// sequencesArrive relies on nextval logging 32 values ahead, so that it need
// not write WAL at each call.
func sequencesArrive(c *C) {
	primary := c.writer()
	primary.Do(sequencesSQL)
	c.wantSame("sequences that were never used", []string{
		"cached 1 0 f", "chosen 1 0 f", "counted 1 0 f", "downward -1 0 f", "identity 1 0 f", "restarted 1 0 f", "serial 1 0 f",
	}, sequenceStateSQL)

	primary.Do(useSequencesSQL)
	wantOnStandbys(c, "sequences after the first nextval", []string{
		"cached 42 0 t", "chosen 1000 0 t", "counted 33 0 t", "downward -33 0 t", "identity 33 0 t", "restarted 1 0 f", "serial 33 0 t",
	})
	primary.Do(resetSequencesSQL)
	wantOnStandbys(c, "sequences after setval and RESTART", []string{
		"cached 42 0 t", "chosen 7 0 f", "counted 33 0 t", "downward -33 0 t", "identity 33 0 t", "restarted 500 0 f", "serial 33 0 t",
	})

	// How far ahead the next ones are logged depends on when the last checkpoint was.
	next := Value[int64](primary, exhaustLoggedSQL)
	if next != 34 {
		c.Fatalf("34th nextval on the primary gives %d", next)
	}
	c.Replay()
	for _, node := range c.Pair().Standbys {
		if shown := Value[int64](c.on(node), countedSQL); shown < next {
			c.Errorf("sequence is at %d on %s, behind the primary's %d", shown, node.Name(), next)
		}
	}
}

// wantOnStandbys is wantSame for sequences in use, which differ on the primary.
func wantOnStandbys(c *C, what string, want []string) {
	c.Replay()
	answers := c.askNodes(sequenceStateSQL)
	if firstDifference(want, answers[0]) == "" {
		c.Errorf("%s: the primary already shows what only its WAL should: %q", what, want)
	}
	for i, got := range answers[1:] {
		if difference := firstDifference(want, got); difference != "" {
			c.Errorf("%s: %s: %s", what, c.Pair().Standbys[i].Name(), difference)
		}
	}
}
