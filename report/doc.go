// Package report turns the event stream of go test -json into something that
// people read. It does no input or output beyond the readers and writers that
// it is given, so that every format can be compared with a golden file.
//
// Checks of the conformance suite are told from ordinary tests by their
// attributes (check.id, check.verdict, ...), see go doc testing.T.Attr.
package report
