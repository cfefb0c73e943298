// Package bench measures this project beside what people use in its place, and
// writes down what came of it.
//
// A figure is one question with its measurement: one test file each
// (startup_test.go, detection_test.go, …), run by TestFigures when asked for.
// What a figure has measured is a [Record]: samples, and the goals they are
// held against. [Write] makes RESULTS.md of records, [Chart] draws one.
//
// Contenders run in alternation, ABBA, so that a machine that grows slower
// does not favour one of them. Two of them are compared by the median of the
// ratios of the runs that stood side by side: see [CompareRuns].
//
// It is a module of its own: what is measured beside the project stays out of
// the project's go.mod. testcontainers-go is one module further, in
// peer/testcontainers, since it wants compose 5 where the project has compose 2.
package bench
