// Package conformance says whether a PostgreSQL primary and its standbys give
// their users what a pair owes them, and measures how well.
//
// Each obligation is a [Check]: data (id, one sentence, level, needs, source)
// and one function. Checks on one subject form a chapter, chapters form a
// profile. A [Target] is what is checked: a pair seen through SQL and,
// where somebody can stop, break and remove the servers, an [Operator].
// Without one, the checks that need it are skipped with that reason.
//
// There are two doors to the same checks: [Run] makes a subtest of each check
// inside go test, [Verify] returns the results without a testing.T.
//
// The suite should give no false alarms: a check that fails names what it
// saw. It may miss defects that no check looks for.
package conformance
