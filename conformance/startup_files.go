package conformance

import (
	"slices"
	"strings"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

func startupFileChecks() []Check {
	return []Check{
		{
			ID:         "startup/signal-and-conninfo-written",
			Obligation: "A standby must have standby.signal and the connection it streams by in its own data directory, so that it is a standby again after a restart.",
			Level:      Must,
			Needs:      Needs{Superuser: true},
			Source:     `PostgreSQL documentation, "pg_basebackup": --write-recovery-conf`,
			ReadsOnly:  true,
			Run:        signalAndConninfoWritten,
		},
		{
			ID:         "startup/files-are-private",
			Obligation: "Nobody but the server's account and its group must be able to read the data directory and the file that holds the replication password.",
			Level:      Must,
			Needs:      Needs{Superuser: true, Operator: true},
			Source:     `PostgreSQL documentation, "Creating a Database Cluster"`,
			Run:        filesArePrivate,
		},
		{
			ID:         "startup/begun-from-backup-label",
			Obligation: "A standby should have begun from a base backup's label, without which a copied data directory may be corrupt.",
			Level:      Should,
			Needs:      Needs{Superuser: true},
			Source:     `PostgreSQL documentation, "Making a Base Backup Using the Low Level API"`,
			ReadsOnly:  true,
			Each:       true,
			Run:        begunFromBackupLabel,
		},
		{
			ID:         "startup/same-image",
			Obligation: "Primary and standbys should run the same image, so that server and libraries are the same.",
			Level:      Should,
			Needs:      Needs{Operator: true},
			Source:     `PostgreSQL documentation, "Log-Shipping Standby Servers: Planning"`,
			Run:        sameImage,
		},
	}
}

// The file's size, or NULL where there is none.
const signalSQL = `SELECT (pg_stat_file('standby.signal', true)).size`

func signalAndConninfoWritten(c *C) {
	for _, standby := range c.Pair().Standbys {
		if size := ask[*int64](c, standby, signalSQL); size == nil {
			c.Errorf("%s has no standby.signal in its data directory: its next start would make it a primary", standby.Name())
		}
		stream := c.streamTo(standby)
		conninfo := primaryConninfo(c, standby)
		if conninfo.Value == "" {
			c.Errorf("%s has no primary_conninfo (%s)", standby.Name(), conninfo.where())
			continue
		}
		// The text holds a password and a parser's error may quote it: neither is shown.
		others, err := namesOthers(conninfo.Value, stream.receiver.SenderHost, stream.sender.Role)
		if err != nil {
			c.Errorf("primary_conninfo of %s (%s) cannot be parsed", standby.Name(), conninfo.where())
		} else if others != "" {
			c.Errorf("%s streams from host %s as role %s, its primary_conninfo (%s) names %s", standby.Name(),
				stream.receiver.SenderHost, stream.sender.Role, conninfo.where(), others)
		}
	}
}

// namesOthers gives the hosts or the role that a connection string names where
// they are others than these, or "". What it does not name has defaults of the
// server, which are not those of this process.
func namesOthers(conninfo, host, role string) (others string, err error) {
	config, err := pair.ParseConfig(conninfo)
	if err != nil {
		return "", err
	}
	hosts := append(strings.Split(config.RuntimeParams["hostaddr"], ","), config.Host)
	for _, other := range config.Fallbacks {
		hosts = append(hosts, other.Host)
	}
	hosts = slices.DeleteFunc(hosts, func(host string) bool { return host == "" || !strings.Contains(conninfo, host) })
	switch {
	case len(hosts) > 0 && !slices.Contains(hosts, host):
		return "host " + strings.Join(slices.Compact(hosts), ", "), nil
	case config.User != role && strings.Contains(conninfo, config.User):
		return "role " + config.User, nil
	}
	return "", nil
}

// setting is a run-time parameter and where its value comes from.
type setting struct {
	Value  string  `db:"value"`
	Source string  `db:"source"`
	File   *string `db:"file"` // nil when it comes from no file
}

func (s setting) where() string {
	if s.File != nil {
		return "from " + *s.File
	}
	return "from " + s.Source
}

const primaryConninfoSQL = `
SELECT setting AS value, source, sourcefile AS file FROM pg_settings WHERE name = 'primary_conninfo'`

func primaryConninfo(c *C, node *pair.Node) setting {
	return askRow[setting](c, node, primaryConninfoSQL)
}

const dataDirectorySQL = `SELECT current_setting('data_directory')`

func filesArePrivate(c *C) {
	// What the server itself sets: u=rwx and, where initdb was told so, g=rx.
	directory, file := []string{"700", "750"}, []string{"600", "640"}
	for _, node := range c.Pair().Nodes() {
		paths := []string{ask[string](c, node, dataDirectorySQL)}
		allowed := [][]string{directory}
		if conninfo := primaryConninfo(c, node); conninfo.File != nil {
			paths, allowed = append(paths, *conninfo.File), append(allowed, file)
		}
		seen := c.beside(node, append([]string{"stat", "-c", "%a"}, paths...)...)
		modes := strings.Fields(seen.Stdout)
		if seen.ExitCode != 0 || len(modes) != len(paths) {
			c.Errorf("%s: stat %v: exit code %d: %s", node.Name(), paths, seen.ExitCode, strings.TrimSpace(seen.Stderr))
			continue
		}
		for i, mode := range modes {
			if !slices.Contains(allowed[i], mode) {
				c.Errorf("%s: mode of %s is %s, must be %s", node.Name(), paths[i], mode, strings.Join(allowed[i], " or "))
			}
		}
	}
}

// backup_label is renamed when recovery has used it. The beginning will do;
// before PostgreSQL 16 a file may be missing only when a length is given.
const backupLabelSQL = `SELECT pg_read_file('backup_label.old', 0, 1000, true)`

func begunFromBackupLabel(c *C) {
	const first = "00000001"
	standby := c.Pair().Standby()
	label := ask[*string](c, standby, backupLabelSQL)
	switch {
	case label == nil && c.timeline() != first:
		c.Skipf("%s has no backup_label.old, but there was a promotion: it may be a primary of before, which needs none", standby.Name())
	case label == nil:
		c.Errorf("%s has no backup_label.old in its data directory", standby.Name())
	case !strings.Contains(*label, "START WAL LOCATION: "):
		c.Errorf("backup_label.old of %s does not say where recovery began: %q", standby.Name(), *label)
	}
}

func sameImage(c *C) {
	primary := c.Pair().Primary
	want := c.inspect(primary).ImageID
	if want == "" {
		c.Fatalf("%s: the operator tells no image", primary.Name())
	}
	for _, standby := range c.Pair().Standbys {
		if seen := c.inspect(standby).ImageID; seen != want {
			c.Errorf("%s runs image %s, %s runs %s", primary.Name(), want, standby.Name(), seen)
		}
	}
}
