package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// Fingerprint names what compose files say and what they mount from this
// machine: two sets of files with one fingerprint start the same servers from
// the same images. It needs no engine.
// Errors are ErrRecipe, or what the file system said.
func Fingerprint(ctx context.Context, files ...string) (string, error) {
	silence()
	project, err := load(ctx, Options{Files: files, AllowHost: true}, "model") // nothing of it runs
	if err != nil {
		return "", err
	}
	model, err := project.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("fingerprint compose files: %w", err)
	}
	sum := sha256.New()
	sum.Write(model)
	for _, path := range mountedFiles(project) {
		if err := digest(sum, path); err != nil {
			return "", fmt.Errorf("fingerprint compose files: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// mountedFiles are the paths on this machine that a project's containers see.
func mountedFiles(project *types.Project) []string {
	paths := map[string]bool{}
	for _, service := range project.Services {
		for _, mount := range service.Volumes {
			if mount.Type == types.VolumeTypeBind {
				paths[mount.Source] = true
			}
		}
	}
	for _, secret := range project.Secrets {
		paths[secret.File] = true
	}
	for _, config := range project.Configs {
		paths[config.File] = true
	}
	delete(paths, "") // the content is in the model
	return slices.Sorted(maps.Keys(paths))
}

// digest adds a file, or all files below a folder. What is not a regular file,
// such as a socket, counts by its name, and so does what is not there.
func digest(sum io.Writer, root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(sum, "%q %s\n", path, entry.Type()); err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.Open(path) //nolint:gosec // what the compose file mounts, its author has chosen
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // it was only read
		_, err = io.Copy(sum, file)
		return err
	})
}
