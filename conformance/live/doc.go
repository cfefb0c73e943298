// Package live runs a recipe as a compose stack and hands it to the
// conformance suite: it finds out which service is the primary and which are
// standbys, waits until they replicate, and is the suite's operator. Where they
// never will, it gathers the evidence from which package diagnose says why.
//
// It is the one place where stack, pair, conformance and diagnose meet, so that
// none of them needs to know the others.
package live
