#!/bin/sh
# PostgreSQL's archive_command: `archive_segment.sh FROM TO` keeps a finished segment of the log.
# Whole and on disk, or not at all. PostgreSQL runs it in its data folder, and keeps a segment
# for as long as this does not succeed.
set -eu
from=$1
to=$2
folder=${to%/*}
has_begun=archiving_has_begun

if [ ! -d "$folder" ]; then
    # Before the first backup nothing could use it. Afterwards the backups' disk is away, and what
    # was dropped now would be a hole that no restore gets over.
    [ ! -e "$has_begun" ]
    exit
fi
if [ -e "$to" ]; then
    cmp -s "$from" "$to" # archived before a crash, or somebody else's
    exit
fi
# The unused part of a segment that was ended early is zeros, and takes no room as a hole.
cp --sparse=always "$from" "$to.part"
sync "$to.part"
mv "$to.part" "$to"
sync "$folder"
[ -e "$has_begun" ] || : >"$has_begun"
