package conformance

import (
	"errors"
	"path"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postgres-master-slave/postgres-master-slave/pair"
)

// settingsCommandChecks: what the command lines of the containers promise.
func settingsCommandChecks() []Check {
	return []Check{
		{
			ID:         "settings/command-line-holds",
			Obligation: "Every setting that a container's command line gives must be what its server runs with, and from that source.",
			Level:      Must, Source: `PostgreSQL documentation, "Setting Parameters", "Parameter Interaction via the Shell"; the recipe's command`,
			Needs: Needs{Operator: true}, Run: commandLineHolds,
		},
	}
}

// commandSetting is a setting as a command line gives it.
type commandSetting struct{ name, value string }

// commandSettings gives the settings in a command that starts postgres
// itself: -c name=value, -cname=value and --name=value. A later one wins.
// Any other command, a shell for example, promises none.
func commandSettings(command []string) []commandSetting {
	if len(command) == 0 {
		return nil
	}
	arguments := command
	switch first := command[0]; {
	case path.Base(first) == "postgres":
		arguments = command[1:]
	case !strings.HasPrefix(first, "-"):
		return nil
	}
	var settings []commandSetting
	for i := 0; i < len(arguments); i++ {
		text, found := strings.CutPrefix(arguments[i], "--")
		if !found {
			if text, found = strings.CutPrefix(arguments[i], "-c"); !found {
				continue
			}
			if text == "" && i+1 < len(arguments) {
				i++
				text = arguments[i]
			}
		}
		if name, value, ok := strings.Cut(text, "="); ok {
			// PostgreSQL takes dashes for underscores here.
			settings = setCommand(settings, strings.ReplaceAll(name, "-", "_"), value)
		}
	}
	return settings
}

// setCommand adds a setting or replaces an earlier one of its name.
func setCommand(settings []commandSetting, name, value string) []commandSetting {
	for i := range settings {
		if settings[i].name == name {
			settings[i].value = value
			return settings
		}
	}
	return append(settings, commandSetting{name, value})
}

const heldSQL = `
SELECT setting, COALESCE(unit, '') AS unit, vartype, source, current_setting(name) AS shown
  FROM pg_settings WHERE lower(name) = lower($1)`

// heldSetting is what a server runs with.
type heldSetting struct {
	Setting string `db:"setting"` // in the parameter's unit
	Unit    string `db:"unit"`
	Type    string `db:"vartype"` // bool, enum, integer, real or string
	Source  string `db:"source"`
	Shown   string `db:"shown"` // as SHOW prints it
}

// promises gives the settings on the command line of a node's container.
func (c *C) promises(node *pair.Node) []commandSetting {
	container, err := c.Operator().Inspect(c.Context(), node.Name())
	c.Harness(err)
	return commandSettings(container.Command)
}

// held looks up what a node runs with; ok is false for a parameter that it
// does not know.
func (c *C) held(node *pair.Node, name string) (held heldSetting, ok bool) {
	held, err := pair.OneRow[heldSetting](c.Context(), node, heldSQL, name)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		c.Fatalf("read %s of %s: %v", name, node.Name(), err)
	}
	return held, err == nil
}

func commandLineHolds(c *C) {
	promised := 0
	for _, node := range c.Pair().Nodes() {
		for _, setting := range c.promises(node) {
			promised++
			switch held, ok := c.held(node, setting.name); {
			case !ok:
				c.Errorf("%s: the command line sets %s, which the server does not know", node.Name(), setting.name)
			case !held.equals(setting.value):
				c.Errorf("%s: the command line sets %s=%s, the server runs with %s", node.Name(), setting.name, setting.value, held.Shown)
			case held.Source != "command line":
				c.Errorf("%s: the command line sets %s=%s, the server has it from: %s", node.Name(), setting.name, setting.value, held.Source)
			}
		}
	}
	if promised == 0 {
		c.Skipf("no command line of the containers gives a setting to postgres")
	}
}

// sameCommandLine: a command line is not cloned with the data directory.
func sameCommandLine(c *C) {
	promises := c.promises(c.Pair().Primary)
	if len(promises) == 0 {
		c.Skipf("the primary's command line gives no setting to postgres")
	}
	for _, standby := range c.Pair().Standbys {
		for _, setting := range promises {
			if held, ok := c.held(standby, setting.name); !ok || !held.equals(setting.value) {
				c.Errorf("the primary's command line sets %s=%s, %s runs with %s", setting.name, setting.value, standby.Name(), held.Shown)
			}
		}
	}
}
