// Package report turns the event stream of go test -json into something that
// people and programs read. It does no input or output beyond the readers and
// writers that it is given, and it knows no clock but the events', so that
// every format can be compared with a golden file.
//
// Run takes the events, Run.Results makes of them what all formats are written
// from: WriteSummary, WriteHTML, WriteResults (results.json, see RESULTS.md),
// WriteJUnit, WriteMarkdown and WriteAnnotations.
//
// # Attributes
//
// What the suite knows comes with the tests' attributes, see go doc
// testing.T.Attr. Those that are unknown are left alone, those that cannot be
// read are listed with their check and change nothing else.
//
// A test that stands for a target (a recipe, a cluster) carries
//
//	target.name        recipe; several tests of a run may check the same target
//	provenance.<name>  what was tested: engine, images, versions, seed
//	topology           {"nodes":[{"name","role","version","image","ports":[]}],
//	                    "links":[{"from","to","slot","state"}]}
//
// The test of a check carries
//
//	check.id           chapter/name; it is what makes the test a check
//	check.level        must or should
//	check.obligation   one sentence
//	check.source       where the obligation comes from
//	check.verdict      pass, fail, deviation, fixed, skip or error
//	check.reason       why, one line
//	check.consequence  what users will notice
//	check.cure         what to change
//	check.place        where the check stands, as folder/file.go:line
//	check.reproduce    a command; without it, one of go test is made up
//	figure.<name>      "<value> <unit>"
//	series.<name>      {"x":"s","y":"bytes","points":[[0.1,123]]}; Check.Plots
//	                   says which names are drawn in a way of their own
//	fault.<n>          {"name":"isolate","node":"standby","from":1.2,"to":3.4},
//	                   seconds since the check began, as in a series over s
//
// A test that is no check and could not do what it is for carries
//
//	harness.error      why; the run is then broken, not failed
//
// A check belongs to the target named by the nearest test above it that has a
// target.name, or else by its top-level test. What a check says it saw are the
// lines under its log line "<verdict>: <obligation>".
package report
