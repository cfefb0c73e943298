package image_test

import "testing"

// TestImage holds the image to the acceptance list that README.md points to, a
// subtest for each letter.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a container engine")
	}
	e := newEngine(t)
	e.plain = e.create(t, flags(env("POSTGRES_PASSWORD", password)))
	e.plain.start(t)
	e.spaced = newSpaced(t, e)
	obligations := []struct {
		name string
		test func(*testing.T, *engine)
	}{
		{"w/the recipe's pair streams, and its standby cannot be started twice", testRecipe},
		{"l/an error in an init file ends the container with 3, the next start skips the rest", testInitError},
		{"o/other users work on a fresh volume or their own directory, not on root's", testUsers},
		{"c/the public tests of official images pass", testPublic},
		{"u/docker-ensure-initdb.sh accepts an existing database, docker-enforce-initdb.sh refuses it", testEnsure},
		{"m/an existing database is used as it is, without any variable", testExisting},
		{"k/init files of all kinds run in order and are announced", testInitFiles},
		{"a/the image config is the documented one", testConfig},
		{"b/directories have the documented owners and modes", testModes},
		{"d/without a password the container refuses to start", testNoPassword},
		{"e/a variable and its _FILE form exclude each other", testBothForms},
		{"f/trust is possible, with a warning", testTrust},
		{"g/by default local clients are trusted and others need SCRAM", testDefaultHBA},
		{"h/a newline in POSTGRES_HOST_AUTH_METHOD adds a line to pg_hba.conf", testNewline},
		{"i/all four _FILE variables are read, without trailing newlines", testFileVariables},
		{"j/names with spaces work", testSpaces},
		{"n/docker stop is a fast shutdown with exit code 0", testStop},
		{"p/PGDATA may be a subdirectory of the volume", testSubdirectory},
		{"q/POSTGRES_INITDB_WALDIR puts pg_wal elsewhere", testWALDirectory},
		{"r/server arguments reach the temporary and the final server", testArguments},
		{"s/the temporary server logs to stdout, the final server to stderr", testStreams},
		{"t/process 1 is postgres with uid 999", testProcess},
		{"v/while init files run only the socket is open", testInitPrivate},
		{"x/other commands run as they are", testOtherCommands},
		{"y/the image tells its true version and that it is a stand-in", testHonesty},
		{"z/no registry is asked for the build or the start", testNoRegistry},
	}
	for _, o := range obligations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			o.test(t, e)
		})
	}
}
