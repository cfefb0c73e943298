package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// WriteAnnotations writes workflow commands, by which GitHub Actions shows
// what is wrong where it is.
//
// Source: GitHub documentation, "Workflow commands for GitHub Actions".
func WriteAnnotations(out io.Writer, results *Results) error {
	page := &page{out: out}
	for _, target := range results.Targets {
		for _, check := range target.wanting() {
			command := "error"
			if check.Verdict == "deviation" {
				command = "warning"
			}
			text := check.Obligation + "\n" + cmp.Or(check.Reason, check.Seen)
			page.annotation(command, check.Location, check.Verdict+" "+target.Name+" "+check.ID, text)
		}
	}
	for _, test := range results.others() {
		page.annotation("error", test.Location, test.Outcome+" "+test.Test, test.Output)
	}
	for _, pkg := range results.Packages {
		if pkg.Output != "" {
			page.annotation("error", Location{}, "fail "+pkg.Name, pkg.Output)
		}
	}
	if noted := results.noted(); noted != "" {
		page.annotation("error", Location{}, "lines outside every test", noted)
	}
	if page.err != nil {
		return fmt.Errorf("write annotations: %w", page.err)
	}
	return nil
}

func (p *page) annotation(command string, where Location, title, text string) {
	var place string
	if where.File != "" {
		place = fmt.Sprintf("file=%s,line=%d,", property(where.File), where.Line)
	}
	p.line("::%s %stitle=%s::%s", command, place, property(title), message(text))
}

func message(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

func property(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(text)
}
