. "$CLI/lib.sh"

# --now pins the clock everywhere: in what rows are given, in HEAD (spec/segment.md 4.1, `created`) and in
# the commit (7.1, `written`). The bytes of two such runs differ in random numbers only.
make_stream
rows | head -n 1 | evappend -q --now 2025-02-03T04:05:06Z store/events
segment=store/events/acme/2025-01-06.evs
date -u -d @"$(od -An -td8 -j88 -N8 $segment | sed 's/ //g; s/.\{9\}$//')" +%FT%TZ
commit=$(grep -obUa EVST $segment | head -n 1 | cut -d: -f1)
commit=$(od -An -td8 -j$((commit + 8)) -N8 $segment)
date -u -d @"$(od -An -td8 -j$((commit + 48)) -N8 $segment | sed 's/ //g; s/.\{9\}$//')" +%FT%TZ
