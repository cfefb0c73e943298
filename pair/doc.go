// Package pair looks at a PostgreSQL primary and its standbys through SQL only.
//
// It has no opinion on how the servers came to be: a [Node] is anything that
// can be connected to, a [Pair] is one node that is not in recovery and the
// standbys that replicate from it. The package tells who is who ([Discover]),
// whether replication really works ([Pair.WaitReady]), and waits until a
// standby has replayed what the primary wrote ([Pair.WaitForReplay]).
//
// Every wait is by fact and by LSN, never by time, and ends with a
// [NotReadyError] that says which fact is missing.
package pair
