// Command licences prints a page in Markdown: the modules whose packages the
// project links, with the licences that their files hold. It fails where a
// module has none that it knows.
//
//	go -C tools run ./licences
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

const head = `# Licences of what this project links

Generated; renew it with ` + "`go test ./scripts -run TestLicences -update`" + `. These are the modules whose packages a
program links, on Linux, that imports all packages of this one. [go.mod](../go.mod) has their versions. The binaries of
` + "`make dist`" + ` link only those marked.

| Module | Licences | In the binaries |
|--|--|--|
`

func main() {
	if err := page(); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func page() error {
	all, err := linked("./...")
	if err != nil {
		return err
	}
	shipped, err := linked("./cmd/conformance")
	if err != nil {
		return err
	}
	fmt.Print(head)
	for _, module := range all {
		names, err := module.licences()
		if err != nil {
			return fmt.Errorf("module %s: %w", module.path, err)
		}
		mark := ""
		if slices.Contains(shipped, module) {
			mark = "yes"
		}
		fmt.Printf("| %s | %s | %s |\n", module.path, strings.Join(names, ", "), mark)
	}
	return nil
}

// module is one of another project.
type module struct{ path, folder string }

// linked are the modules of the packages that some packages import, tests left out.
func linked(packages string) (modules []module, err error) {
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", packages)
	list.Dir = ".."
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0") // the page is the same everywhere
	list.Stderr = os.Stderr
	said, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	for line := range strings.Lines(string(said)) {
		if path, folder, found := strings.Cut(strings.TrimSpace(line), " "); found {
			modules = append(modules, module{path, folder})
		}
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return slices.Compact(modules), nil
}

// licenceFile finds the files that a module says its licence in.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([.-].*)?$`)

// licences are the SPDX identifiers of a module's licences.
func (m module) licences() (names []string, err error) {
	files, err := os.ReadDir(m.folder)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if file.IsDir() || !licenceFile.MatchString(file.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.folder, file.Name()))
		if err != nil {
			return nil, err
		}
		for _, match := range licensecheck.Scan(text).Match {
			names = append(names, match.ID)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return nil, fmt.Errorf("no file in %s holds a known licence", m.folder)
	}
	return names, nil
}
