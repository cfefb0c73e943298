// Package pairtest gives tests of applications a real PostgreSQL primary with
// its hot standby, whole or broken on purpose.
//
//	p := pairtest.New(t)                        // a pair of this test's own
//	db := pairtest.Database(t, pairtest.SQL(…)) // a database of its own on a pair that all tests share
//
// Both have pgx pools and *sql.DB for either side, [DB.WaitForReplay] as the
// barrier between a write and the read that must see it, and what was seen of
// replication as values ([DB.Lag], [DB.State]). Only a pair of one's own can be
// broken: [Pair.Freeze], [Pair.Cut], [Pair.Kill], [Pair.Promote],
// [Pair.HoldReplay], [Pair.DelayReplay], [Pair.Conflict]. Each heals itself at
// the end of the test that it was given; they may overlap.
//
// A copy of the first pair of its kind is kept as a template, in volumes of the
// engine, and later ones begin with a copy of that: see [FromScratch].
//
// Everything else is removed when the test ends, however it ends: see package stack.
//
// Two things concern the whole process. From the first pair of one's own to the
// end of the last, SIGINT and SIGTERM remove the pairs and then end the process
// with 128 + the signal's number: a test that sends its own process such a
// signal, to see it shut down gracefully, belongs into another process, or uses
// [Database], which installs no handler here. And the standard logger of logrus,
// if it still writes to the standard error, is silent from the first use on: set
// its output before to keep it.
//
// A shared pair belongs to nobody: a process that this package starts, the
// holder, keeps it for as long as a test of any process uses it and a few
// seconds more. The holder is the test's own executable, started again:
// importing the package makes a program behave so when the environment says
// so.
package pairtest
