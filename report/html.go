package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
)

// The parts of the page. Everything is in the one file: it opens without a network.
var (
	//go:embed page/page.html
	pageTemplate string
	//go:embed page/page.css
	pageStyle string
	//go:embed page/page.js
	pageScript string
)

// parsePage parses the template once: to find how every value is escaped takes
// longer than to write a page.
var parsePage = sync.OnceValues(func() (*template.Template, error) { //nolint:gochecknoglobals // a constant that is made when needed
	return template.New("page").Funcs(template.FuncMap{"duration": duration, "class": class}).Parse(pageTemplate)
})

// WriteHTML writes report.html, one file that needs no network. Text of the
// stream is escaped by html/template for where it stands, and a content
// security policy lets no script run but the page's own.
func WriteHTML(out io.Writer, results *Results) error {
	parsed, err := parsePage()
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	view := newView(results)
	view.Style = template.CSS(pageStyle)  //nolint:gosec // our own file
	view.Script = template.JS(pageScript) //nolint:gosec // our own file
	hash := sha256.Sum256([]byte(pageScript))
	view.ScriptHash = "sha256-" + base64.StdEncoding.EncodeToString(hash[:])
	if err := parsed.Execute(out, view); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// class is the style sheet's word for a verdict, an outcome, an answer or a
// role. Words that it does not have get none.
func class(word any) string {
	text := strings.ReplaceAll(fmt.Sprint(word), " ", "-")
	const known = " pass deviation skip fixed fail error cut-off right deviates stale unproven unknown wrong primary standby "
	if strings.Contains(known, " "+text+" ") {
		return text
	}
	return ""
}
