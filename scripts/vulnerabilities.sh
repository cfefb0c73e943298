#!/usr/bin/env bash
# Looks for known vulnerabilities in what the code really calls. One that is
# accepted is in tools/vulnerabilities.txt, with a reason and a last day.
# usage: vulnerabilities.sh [PACKAGES]   VULNDB=url takes another database
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

accepted=${ACCEPTED:-tools/vulnerabilities.txt}
today=$(date +%F)

code=0
said=$(without_downloads go tool -modfile=tools/go.mod govulncheck ${VULNDB:+-db "$VULNDB"} "${@:-./...}" 2>&1) || code=$?
if [ "$code" -ne 0 ] && [[ "$said" == *"fetching vulnerabilities"* ]]; then
	say "skipped: the vulnerability database cannot be reached"
	exit 0
fi
found=$(sed -n 's/^Vulnerability #[0-9]*: \([A-Z0-9-]*\)$/\1/p' <<<"$said")
if [ "$code" -ne 0 ] && [ -z "$found" ]; then
	die "govulncheck failed, exit code $code" "$said"
fi

wrong=()
while read -r id until reason; do
	if [ -z "$id" ] || [[ "$id" == "#"* ]]; then
		continue
	fi
	if ! [[ "$until" =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] || [ -z "$reason" ]; then
		wrong+=("$id: needs a last day, YYYY-MM-DD, and a reason on its line of $accepted")
	elif ! grep -qxF -- "$id" <<<"$found"; then
		wrong+=("$id: nothing calls it any more, its line in $accepted can go")
	elif [[ "$until" < "$today" ]]; then
		wrong+=("$id: accepted until $until only ($reason): look whether it is mended, or give it another day")
	else
		say "accepted until $until: $id ($reason)"
	fi
	found=$(grep -vxF -- "$id" <<<"$found" || true)
done <"$accepted"
for id in $found; do
	wrong+=("$id: it is called. Take a version that mends it, or list it in $accepted with a last day and a reason")
done
if [ ${#wrong[@]} -gt 0 ]; then
	say "$said"
	die "known vulnerabilities" "${wrong[@]}"
fi
say "no other known vulnerability is reached"
