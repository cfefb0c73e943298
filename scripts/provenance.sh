# Where the local postgres:15.8 comes from. Sourced, not run.
# shellcheck shell=bash

image=postgres:15.8

# is_stand_in: whether the local image says of itself that it is the stand-in.
is_stand_in() {
	[[ "$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.title"}}' $image 2>/dev/null)" == *stand-in* ]]
}

# provenance: one line on what the image is. A registry digest is what tells an
# image that was pulled; anything else could be anybody's.
provenance() {
	local version digest
	version=$(docker image inspect --format '{{range .Config.Env}}{{println .}}{{end}}' $image | sed -n 's/^PG_VERSION=//p')
	digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' $image | head -n1)
	if is_stand_in; then
		echo "$image is the local stand-in, not the Docker Official Image; server version $version"
	elif [ -n "$digest" ]; then
		echo "$image is the image of the registry ($digest), server version $version"
	else
		echo "$image is an image of unknown origin (no registry digest), server version $version"
	fi
}
