#!/usr/bin/env bash
# Opens report.html in headless Chromium and tests it there: both themes, narrow
# and wide, filter, search, keyboard, print, accessibility, hostile text.
# Installs chromium, node and npm with apt-get where it may (SETUP=never
# forbids it), and two npm packages into build/browser. Where no browser can be
# had, it says so and tests nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/say.sh
. scripts/apt.sh
work=build/browser

skip() {
	say "report: browser test skipped: $1"
	exit 0
}

find_browser() {
	for name in chromium chromium-browser google-chrome; do
		command -v "$name" && return
	done
	return 1
}

missing=()
find_browser >/dev/null || missing+=(chromium)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
	may_set_up || skip "there is no ${missing[*]}, and SETUP=never forbids to install it"
	may_apt || skip "there is no ${missing[*]}; do: install it and repeat"
	apt_install "${missing[@]}"
fi
browser=$(find_browser)

mkdir -p "$work"
if ! cmp -s report/browser/package-lock.json "$work/installed-lock.json"; then
	may_set_up || skip "axe-core and playwright-core are not in $work, and SETUP=never forbids to install them"
	say "installing axe-core and playwright-core with npm into $work"
	cp report/browser/package.json report/browser/package-lock.json "$work"
	output=$(npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund 2>&1) ||
		skip "npm could not install axe-core and playwright-core: $(tail -n 1 <<<"$output")"
	cp report/browser/package-lock.json "$work/installed-lock.json"
fi

# The streams of the golden tests; that they are red is their purpose.
for stream in report/testdata/{pair,hostile,cut-off,good}.jsonl; do
	name=$(basename "$stream" .jsonl)
	GITHUB_ACTIONS='' GITHUB_STEP_SUMMARY='' go run ./cmd/verify -from "$stream" -out "$work/$name" >"$work/$name.txt" 2>&1 || true
	[ -s "$work/$name/report.html" ] || die "there is no report of $stream" "$(tail -n 5 "$work/$name.txt")"
done
BROWSER=$browser WORK=$PWD/$work node --test report/browser/test.mjs
