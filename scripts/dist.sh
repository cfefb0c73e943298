#!/usr/bin/env bash
# Builds the command conformance for people without Go: static binaries, for
# each a bill of materials, which lists the modules that are linked into it
# (CycloneDX), and the SHA-256 sums of all: dist.sh [FOLDER [SYSTEM-PROCESSOR...]]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

folder=${1:-build/dist}
platforms=("${@:2}")
[ ${#platforms[@]} -gt 0 ] || platforms=(linux-amd64 linux-arm64 darwin-amd64 darwin-arm64)
mkdir -p "$folder"
rm -f "$folder"/conformance-* "$folder/SHA256SUMS"
for platform in "${platforms[@]}"; do
	program=$folder/conformance-$platform
	say "building $program"
	CGO_ENABLED=0 GOOS=${platform%-*} GOARCH=${platform#*-} go build -trimpath -ldflags '-s -w' -o "$program" ./cmd/conformance
	# Without serial number and time, the same sources give the same file.
	without_downloads go tool -modfile=tools/go.mod cyclonedx-gomod bin \
		-json -std -noserial -notimestamp -output "$program.cdx.json" "$program"
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
