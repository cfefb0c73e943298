package conformance

import (
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
)

// module is the path of this module: places in the source are told relative to it.
const module = "github.com/postgres-master-slave/postgres-master-slave/"

// place tells where a check's function stands, as folder/file.go:line, so that
// a failure points at the rule and not at the runner. Empty when unknown.
func (k Check) place() string {
	if k.Run == nil {
		return ""
	}
	function := runtime.FuncForPC(reflect.ValueOf(k.Run).Pointer())
	if function == nil {
		return ""
	}
	file, line := function.FileLine(function.Entry())
	return fmt.Sprintf("%s:%d", path.Join(folderOf(function.Name()), filepath.Base(file)), line)
}

// folderOf is the folder of a function of this module, empty for another's. A
// package of tests beside another one is in that one's folder.
func folderOf(function string) string {
	inside, ours := strings.CutPrefix(function, module)
	if !ours {
		return ""
	}
	folder, _, _ := strings.Cut(inside, ".")
	return strings.TrimSuffix(folder, "_test")
}
