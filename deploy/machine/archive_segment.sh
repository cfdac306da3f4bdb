#!/bin/sh
# PostgreSQL's archive_command: `archive_segment.sh FROM TO` keeps a finished segment of the log.
# Whole and on disk, or not at all. Before the first backup nothing could use it, and the folder
# is not there.
set -eu
from=$1
to=$2
folder=${to%/*}

[ -d "$folder" ] || exit 0
if [ -e "$to" ]; then
    cmp -s "$from" "$to" # archived before a crash, or somebody else's
    exit
fi
# The unused part of a segment that was ended early is zeros, and takes no room as a hole.
cp --sparse=always "$from" "$to.part"
sync "$to.part"
mv "$to.part" "$to"
sync "$folder"
