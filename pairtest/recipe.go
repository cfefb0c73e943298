package pairtest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/postgres-master-slave/postgres-master-slave/docker"
	"github.com/postgres-master-slave/postgres-master-slave/overlays"
)

const (
	readable   = 0o644
	executable = 0o755
)

// unpack puts the shipped recipe where an engine can mount files from: in the
// user's cache, in a folder named after the content. It is written once and
// then stays, since containers of several tests may use it.
func unpack(hardened bool) (files []string, err error) {
	sum, err := digest()
	if err != nil {
		return nil, fmt.Errorf("unpack recipe: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	folder := filepath.Join(cache, "postgres-master-slave", "recipe-"+sum)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if err := write(folder); err != nil {
			return nil, fmt.Errorf("unpack recipe: %w", err)
		}
	}
	files = []string{filepath.Join(folder, "docker", "docker-compose.yml")}
	if hardened {
		files = append(files, filepath.Join(folder, "overlays", "hardened.yml"))
	}
	return files, nil
}

// write makes a folder whole or not at all. Of several processes that make it
// at once, one wins, and all have made the same.
func write(folder string) error {
	if err := os.MkdirAll(filepath.Dir(folder), executable); err != nil {
		return err
	}
	making, err := os.MkdirTemp(filepath.Dir(folder), "making-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(making) }() // it has another name by then, unless something failed
	err = walk(func(name string, content []byte) error {
		path := filepath.Join(making, name)
		if err := os.MkdirAll(filepath.Dir(path), executable); err != nil {
			return err
		}
		mode := fs.FileMode(readable)
		if filepath.Ext(name) == ".sh" {
			mode = executable
		}
		// The servers' user in a container reads them, whatever this process's umask is.
		return errors.Join(os.WriteFile(path, content, mode), os.Chmod(path, mode), os.Chmod(filepath.Dir(path), executable))
	})
	if err != nil {
		return err
	}
	if err := os.Chmod(making, executable); err != nil {
		return err
	}
	if err := os.Rename(making, folder); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// digest names the content.
func digest() (string, error) {
	sum := sha256.New()
	err := walk(func(name string, content []byte) error {
		_, err := fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
		return err
	})
	const short = 8
	return hex.EncodeToString(sum.Sum(nil)[:short]), err
}

// walk visits the files of the shipped recipe in one order, with the paths that
// they have in this module.
func walk(visit func(name string, content []byte) error) error {
	for _, room := range []struct {
		name  string
		files fs.FS
	}{{"docker", docker.Recipe}, {"overlays", overlays.Hardened}} {
		err := fs.WalkDir(room.files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(room.files, path)
			if err != nil {
				return err
			}
			return visit(room.name+"/"+path, content)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
