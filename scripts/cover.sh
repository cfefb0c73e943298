#!/usr/bin/env bash
# What the tests execute of the module's statements, by package, tests and
# their child processes together: cover.sh LEAST
#
# SHORT=1 counts only the tests that need no engine. Else all run: those around
# the suite, and the suite itself, whose faults break the hardened overlay.
# The module's commands count as well. Fails below LEAST percent.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

least=${1:?which share is enough, in percent}
folder=$PWD/build/cover
rm -rf "$folder"
mkdir -p "$folder/data"
data=$folder/data

failed=()
# cover [ARGUMENT...]: runs tests of packages. Where their child processes
# write to is go test's own affair unless a program in between says otherwise.
cover() {
	without_downloads go tool -modfile=tools/go.mod gotestsum --format pkgname -- -p 2 -count 1 \
		-coverpkg=./... -exec "env 'GOCOVERDIR=$data'" "$@" -args -test.gocoverdir="$data" || failed+=("tests failed")
}

if [ -n "${SHORT:-}" ]; then
	cover -short ./...
else
	suite=./conformance
	mapfile -t around < <(go list ./... | grep -v "/${suite#./}$")
	cover -timeout 40m "${around[@]}"
	# Recipe and cure run the same code: the cure passes more of it. What the
	# recipe fails, and the interruptions, are left to make verify.
	CONFORMANCE_PROFILE=all cover -timeout 40m -skip '^(TestRecipe|TestInterrupted)' "$suite"
fi

go tool covdata textfmt -i="$data" -o="$folder/profile"
go tool cover -html="$folder/profile" -o="$folder/coverage.html"

# One line of the profile is a block: file:from,to statements times. A block
# that several programs hold has a line for each.
awk -v least="$least" -v module="$(go list -m)/" '
	NR == 1 { next }
	{
		statements[$1] = $2
		if ($3 > 0) executed[$1] = 1
	}
	END {
		for (block in statements) {
			package = block
			sub(/\/[^\/]*$/, "", package)
			if (!sub(module, "", package)) package = "."
			all[package] += statements[block]
			total += statements[block]
			if (block in executed) {
				hit[package] += statements[block]
				covered += statements[block]
			}
		}
		for (package in all)
			printf "%6.1f %% of %5d  %s\n", 100 * hit[package] / all[package], all[package], package | "sort -k5"
		close("sort -k5")
		share = 100 * covered / total
		printf "%6.1f %% of %5d  statements\n", share, total
		exit share < least
	}' "$folder/profile" || failed+=("less than $least %")

say "by line: $folder/coverage.html"
[ ${#failed[@]} -eq 0 ] || die "cover: ${failed[*]}"
