#!/bin/sh
# Makes the lake's bucket on SeaweedFS, once; a bucket that is there is fine.
#
# In:  SEAWEEDFS_MASTER and SEAWEEDFS_FILER (host:port, or host:port.grpcport), S3_BUCKET; `weed` in
#      PATH.
# Out: exit code 0 when the bucket is there, 1 after 60 s.
set -eu

# The shell logs to files whatever it is told.
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

ask() {
  echo "$1" |
    weed -logdir="$logs" shell -master="$SEAWEEDFS_MASTER" -filer="$SEAWEEDFS_FILER" 2>&1
}

there() {
  said=$(ask s3.bucket.list) || return 1
  echo "$said" | grep -Eq "^ *$S3_BUCKET([[:space:]]|\$)"
}

tries=0
until there; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ]; then
    echo "bucket $S3_BUCKET could not be made at $SEAWEEDFS_MASTER: $said" >&2
    exit 1
  fi
  said=$(ask "s3.bucket.create -name $S3_BUCKET") || sleep 1
done
echo "bucket $S3_BUCKET is there"
