// Command pairtemplates lists and removes the templates that package pairtest
// keeps: the initialised pairs that later ones begin with.
//
//	pairtemplates            list them
//	pairtemplates rm KEY...  remove some
//	pairtemplates rm all     remove all
//
// Exit code 1 is an error, 2 a command line that it does not know.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/postgres-master-slave/postgres-master-slave/stack"
)

const usage = "usage: pairtemplates [rm KEY... | rm all]"

var errUsage = errors.New(usage)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

func run(ctx context.Context, arguments []string, out io.Writer) (err error) {
	switch {
	case len(arguments) == 0:
	case slices.Contains([]string{"-h", "-help", "--help"}, arguments[0]):
		_, err = fmt.Fprintln(out, usage)
		return err
	case arguments[0] != "rm", len(arguments) == 1:
		return errUsage
	}
	engine, err := stack.Open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	templates, err := engine.Templates(ctx)
	if err != nil {
		return err
	}
	if len(arguments) == 0 {
		return list(templates, out)
	}
	return remove(ctx, engine, templates, arguments[1:], out)
}

func list(templates []stack.Template, out io.Writer) error {
	if len(templates) == 0 {
		_, err := fmt.Fprintln(out, "no templates")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tAGE\tSTATE")
	for _, one := range templates {
		state := "complete"
		if !one.Complete {
			state = "being made, or cut off"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", one.Key, time.Since(one.Created).Round(time.Second), state)
	}
	return table.Flush()
}

func remove(ctx context.Context, engine *stack.Engine, templates []stack.Template, keys []string, out io.Writer) error {
	if len(keys) == 1 && keys[0] == "all" {
		keys = nil
		for _, one := range templates {
			keys = append(keys, one.Key)
		}
	}
	var errs []error
	for _, key := range keys {
		if !slices.ContainsFunc(templates, func(one stack.Template) bool { return one.Key == key }) {
			errs = append(errs, fmt.Errorf("remove template %s: %w", key, stack.ErrNoTemplate))
			continue
		}
		err := engine.RemoveTemplate(ctx, key)
		if err == nil {
			_, err = fmt.Fprintln(out, "removed", key)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
