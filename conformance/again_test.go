package conformance_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/postgres-master-slave/postgres-master-slave/conformance"
)

// again gives the command that runs one check of a test again, on the same
// servers and with the same limits.
func again(test string, check conformance.Check) string {
	root, _, _ := strings.Cut(test, "/")
	return fmt.Sprintf("go test ./conformance -v -run '^%s$' -args -profile all -checks %s%s", root, check.ID, forTheShell(flag.CommandLine))
}

// forTheShell gives the flags that were given, but for those of go test, those
// that again says itself, and what concerns a whole run.
func forTheShell(flags *flag.FlagSet) string {
	var words strings.Builder
	flags.Visit(func(one *flag.Flag) {
		switch name := one.Name; {
		case strings.HasPrefix(name, "test."):
		case name == "profile", name == "checks", name == "list", name == "json", name == "write-deviations", name == "soak", name == "update":
		case name == "password":
			words.WriteString(" -password …")
		case name == "allow-host", name == "keep":
			fmt.Fprintf(&words, " -%s=%s", name, one.Value)
		default: // People paste it into a shell, and these are somebody else's texts.
			fmt.Fprintf(&words, " -%s '%s'", name, strings.ReplaceAll(one.Value.String(), "'", `'\''`))
		}
	})
	return words.String()
}

func TestCommandToRunAgainIsForTheShell(t *testing.T) {
	assert.True(t, strings.HasPrefix(again("TestRecipe/slot/named", conformance.Check{ID: "slot/named"}),
		"go test ./conformance -v -run '^TestRecipe$' -args -profile all -checks slot/named"))
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	for _, name := range []string{"file", "image", "password", "profile", "checks", "write-deviations", "timeout", "test.run", "user"} {
		flags.String(name, "", "")
	}
	flags.Bool("allow-host", false, "")
	require.NoError(t, flags.Parse([]string{
		"-test.run", "TestRecipe", "-profile", "usual", "-checks", "slot", "-write-deviations", "known.yml", "-password", "Pl4nted",
		"-file", "/o'clock $(id)/compose.yml", "-image", "db=postgres:16", "-timeout", "3", "-allow-host",
	}))
	assert.Equal(t, ` -allow-host=true -file '/o'\''clock $(id)/compose.yml' -image 'db=postgres:16' -password … -timeout '3'`, forTheShell(flags))
}

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	environment := func(name string) string { return "value of " + name }
	for name, test := range map[string]struct{ arguments, file, password string }{
		"no flag":  {"", "value of CONFORMANCE_FILE", "value of CONFORMANCE_PASSWORD"},
		"a file":   {"-file=a.yml", "a.yml", "value of CONFORMANCE_PASSWORD"},
		"an empty": {"-password=", "value of CONFORMANCE_FILE", ""},
	} {
		t.Run(name, func(t *testing.T) {
			flags := flag.NewFlagSet("", flag.ContinueOnError)
			var files list
			flags.Var(&files, "file", "")
			password := flags.String("password", "", "")
			require.NoError(t, flags.Parse(strings.Fields(test.arguments)))
			require.NoError(t, standIn(flags, environment))
			assert.Equal(t, test.file, files.String())
			assert.Equal(t, test.password, *password)
		})
	}
}
