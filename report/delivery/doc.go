// Package delivery brings what came of a run to those who wait for it: files
// in a folder, progress and a summary on the terminal, an exit code. It is what
// the commands that report have in common; what the files hold is written by
// package report.
package delivery
