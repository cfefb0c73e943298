package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// again gives the command that runs one check again, with the same rights: who
// said -read-only gets no command that writes.
func again(asked *asked, check conformance.Check) string {
	words := append([]string{"conformance", "-profile", asked.profile, "-checks", check.ID}, asked.given...)
	return strings.Join(words, " ")
}

// forTheShell gives the flags that were given, but for those that again says
// itself, and for the list, which is written once. Connection strings may hold
// passwords, so there is a … in the place of each.
func forTheShell(flags *flag.FlagSet, standbys int) []string {
	var words []string
	flags.Visit(func(one *flag.Flag) {
		switch one.Name {
		case "profile", "checks", "list", "json", "write-deviations":
		case "primary-dsn":
			words = append(words, "-primary-dsn …")
		case "standby-dsn":
			words = append(words, slices.Repeat([]string{"-standby-dsn …"}, standbys)...)
		case "read-only", "exclusive":
			if one.Value.String() == "true" {
				words = append(words, "-"+one.Name)
			}
		default:
			words = append(words, fmt.Sprintf("-%s %s", one.Name, quoted(one.Value.String())))
		}
	})
	return words
}

// quoted makes a text one word of the shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
