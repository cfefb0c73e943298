#!/usr/bin/env bash
# Builds the command conformance for people without Go: static binaries in
# build/dist, with their SHA-256 sums.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

folder=build/dist
rm -rf "$folder"
mkdir -p "$folder"
for system in linux darwin; do
	for processor in amd64 arm64; do
		program=conformance-$system-$processor
		say "building $folder/$program"
		CGO_ENABLED=0 GOOS=$system GOARCH=$processor go build -trimpath -ldflags '-s -w' -o "$folder/$program" ./cmd/conformance
	done
done
cd "$folder"
if command -v sha256sum >/dev/null; then
	sha256sum conformance-* >SHA256SUMS
else
	shasum -a 256 conformance-* >SHA256SUMS
fi

# The one for this machine must run.
own=./conformance-$(go env GOHOSTOS)-$(go env GOHOSTARCH)
if [ -x "$own" ]; then
	listed=$("$own" -list -profile all)
	say "$own lists $(wc -l <<<"$listed") checks"
fi
say "done: $folder"
