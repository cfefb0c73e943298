package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// Fingerprint names what compose files say and what they mount and build from
// on this machine, with these options: two with one fingerprint start the same servers from
// the same images. It needs no engine.
// Errors are ErrRecipe, or what the file system said.
func (o Options) Fingerprint(ctx context.Context) (string, error) {
	silence()
	o.AllowHost = true // nothing of it runs
	project, err := load(ctx, o, "model")
	if err != nil {
		return "", err
	}
	model, err := project.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("fingerprint compose files: %w", err)
	}
	sum := sha256.New()
	sum.Write(model)
	sum.Write([]byte(variableContents(project)))
	for _, path := range mountedFiles(project) {
		if err := digest(sum, path); err != nil {
			return "", fmt.Errorf("fingerprint compose files: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// variableContents are what variables give to secrets and configs: the model
// has the variables' names alone.
func variableContents(project *types.Project) string {
	var contents []string
	for key, one := range project.Secrets {
		if one.Environment != "" {
			contents = append(contents, fmt.Sprintf("secret %q %q\n", key, project.Environment[one.Environment]))
		}
	}
	for key, one := range project.Configs {
		if one.Environment != "" {
			contents = append(contents, fmt.Sprintf("config %q %q\n", key, project.Environment[one.Environment]))
		}
	}
	slices.Sort(contents)
	return strings.Join(contents, "")
}

// mountedFiles are the paths on this machine that decide what a project's
// containers see, contexts of builds included. What an empty volume takes the
// place of is not among them: it changes with each write, and nobody may read it.
func mountedFiles(project *types.Project) []string {
	var paths []string
	for _, service := range project.Services {
		paths = append(paths, hostFiles(project, service)...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// digest adds a file, or all files below a folder. What is neither a regular
// file nor a link, such as a socket, counts by its name, and so does what is not there.
func digest(sum io.Writer, root string) error {
	root, err := filepath.EvalSymlinks(root) // a walk does not follow what it begins with
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(sum, "%q %s\n", path, entry.Type()); err != nil {
			return err
		}
		switch {
		case entry.Type().IsRegular():
			return digestFile(sum, path)
		case entry.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path) // what it leads to in a container is not known here
			if err == nil {
				_, err = fmt.Fprintf(sum, "%q\n", to)
			}
			return err
		}
		return nil
	})
}

func digestFile(sum io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	_, err = io.Copy(sum, file)
	return err
}
