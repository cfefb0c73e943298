package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// mostFindings bounds what summary.md shows: GitHub refuses a step summary of
// more than one megabyte as a whole.
const mostFindings = 60

// WriteMarkdown writes summary.md, which is also fit for the step summary of
// GitHub Actions: the answer, a table of verdicts by chapter, what is wrong.
func WriteMarkdown(out io.Writer, results *Results) error {
	page := &page{out: out}
	page.line("## %s\n", markdown(results.Headline()))
	page.line("%s.", markdown(results.Totals()))
	if results.Interrupted != "" {
		page.line("\n**Interrupted**: %s. What was found until then stands.", markdown(results.Interrupted))
	}
	for _, target := range results.Targets {
		page.markdownTarget(target)
	}
	page.markdownNotes(results)
	page.markdownFindings(results)
	page.markdownProvenance(results)
	if page.err != nil {
		return fmt.Errorf("write summary: %w", page.err)
	}
	return nil
}

func (p *page) markdownTarget(target *Target) {
	p.line("\n### %s is %s\n", markdown(target.Name), markdown(target.Sentence()))
	p.line("| chapter | %s | time |", strings.Join(verdicts[:], " | "))
	p.line("|:--|%s--:|", strings.Repeat("--:|", len(verdicts)))
	for _, chapter := range target.Chapters() {
		cells := make([]string, 0, len(verdicts))
		for _, verdict := range verdicts {
			cells = append(cells, count(chapter.Tally[verdict]))
		}
		p.line("| %s | %s | %s |", markdown(chapter.Name), strings.Join(cells, " | "), duration(chapter.Seconds))
	}
}

// count leaves a cell empty where there is nothing.
func count(number int) string {
	if number == 0 {
		return ""
	}
	return fmt.Sprint(number)
}

func (p *page) markdownNotes(results *Results) {
	if noted := results.noted(); noted != "" {
		p.line("\nLines outside every test:\n")
		p.block(noted)
	}
}

func (p *page) markdownFindings(results *Results) {
	shown := 0
	for _, target := range results.Targets {
		for _, check := range target.wanting() {
			if shown++; shown > mostFindings {
				continue
			}
			p.line("\n<details><summary><b>%s</b> %s: %s</summary>\n", check.Verdict,
				markup(target.Name+" "+check.ID), markup(check.Obligation))
			p.labelled("Seen", cmp.Or(check.Reason, check.Seen))
			p.labelled("Consequence", check.Consequence)
			p.labelled("Cure", check.Cure)
			p.block(check.Seen)
			p.block(check.Reproduce)
			p.line("</details>")
		}
	}
	for _, test := range results.others() {
		if shown++; shown <= mostFindings {
			p.line("\n<details><summary><b>%s</b> %s</summary>\n", test.Outcome, markup(test.Test))
			p.block(test.Output)
			p.block(test.Reproduce)
			p.line("</details>")
		}
	}
	for _, pkg := range results.Packages {
		if pkg.Output != "" {
			p.line("\n<details><summary><b>fail</b> package %s</summary>\n", markup(pkg.Name))
			p.block(pkg.Output)
			p.line("</details>")
		}
	}
	if shown > mostFindings {
		p.line("\n%d more are in report.html.", shown-mostFindings)
	}
}

func (p *page) markdownProvenance(results *Results) {
	for _, target := range results.Targets {
		if len(target.Provenance) == 0 {
			continue
		}
		p.line("\n<details><summary>What was tested as %s</summary>\n", markup(target.Name))
		for _, fact := range target.Provenance {
			p.line("- %s: %s", markdown(fact.Name), markdown(fact.Value))
		}
		p.line("\n</details>")
	}
}

func (p *page) labelled(label, text string) {
	if text != "" {
		p.line("**%s**: %s\n", label, markdown(text))
	}
}

// block writes text as it is. HTML needs no fence that the text might close.
func (p *page) block(text string) {
	if text != "" {
		const most = 4000 // bytes: the report has all of it
		if len(text) > most {
			text = strings.ToValidUTF8(text[:most], "") + "\n…"
		}
		p.line("<pre>%s</pre>\n", markup(text))
	}
}

// markdown makes text mean nothing but itself in Markdown, on one line.
func markdown(text string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`,
		"#", `\#`, "!", `\!`, "~", `\~`, "\\", `\\`, "@", "&#64;", "://", "&#58;//", "\n", " ", "$", "&#36;",
	).Replace(text)
}

// markup is text inside an HTML element of a Markdown page.
func markup(text string) string {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;",
		"]", "&#93;", "@", "&#64;", "~", "&#126;", "#", "&#35;", "\\", "&#92;", "://", "&#58;//", "$", "&#36;", "|", "&#124;", "\n", "&#10;",
	).Replace(text)
}
