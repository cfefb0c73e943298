// Command testcontainers is a contender of package bench: it runs compose files,
// named as arguments, with testcontainers-go.
//
// It takes orders from standard input, one a line, and answers each with done,
// or with what went wrong:
//
//	up PROJECT NAME=VALUE...   returns when the standby has logged that it streams
//	down PROJECT               removes the project with its volumes
//
// It is a module of its own because testcontainers-go wants versions of compose
// and of compose-go that the project's do not compile with.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go/modules/compose"
	"github.com/testcontainers/testcontainers-go/wait"
)

// startupLimit is far beyond what a start takes.
const startupLimit = 2 * time.Minute

func main() {
	if err := serve(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, files []string, orders io.Reader, answers io.Writer) error {
	running := map[string]*compose.DockerCompose{}
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		err := obey(ctx, files, strings.Fields(lines.Text()), running)
		answer := "done"
		if err != nil {
			answer = "error: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		if _, err := fmt.Fprintln(answers, answer); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	return lines.Err()
}

func obey(ctx context.Context, files, words []string, running map[string]*compose.DockerCompose) error {
	if len(words) < 2 {
		return fmt.Errorf("obey %q: no such order", words)
	}
	order, project := words[0], words[1]
	switch order {
	case "up":
		made, err := compose.NewDockerComposeWith(compose.StackIdentifier(project), compose.WithStackFiles(files...))
		if err != nil {
			return err
		}
		running[project] = made
		environment := map[string]string{}
		for _, word := range words[2:] {
			name, value, _ := strings.Cut(word, "=")
			environment[name] = value
		}
		streams := wait.ForLog("started streaming WAL from primary").WithStartupTimeout(startupLimit)
		return made.WithEnv(environment).WaitForService("postgres_slave", streams).Up(ctx)
	case "down":
		made, ok := running[project]
		if !ok {
			return fmt.Errorf("down %s: no such project", project)
		}
		delete(running, project)
		if err := made.Down(ctx, compose.RemoveOrphans(true), compose.RemoveVolumes(true)); err != nil {
			return err
		}
		return made.Close()
	}
	return fmt.Errorf("obey %q: no such order", words)
}
