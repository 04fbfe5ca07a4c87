#!/usr/bin/env bash
# download.sh: one large body from nginx on loopback, beside bare libcurl (download.c), the curl tool and
# Python's requests, if they are there. `make bench` runs it. BENCH_DOWNLOAD: megabytes (200). BENCH_REPEATS:
# runs of each (3).
. "$(dirname "$0")/bodies.sh"

megabytes=${BENCH_DOWNLOAD:-200}
mkdir -p "$scratch/www"
yes 'a line of a large document, which is as long as lines of data often are' |
  head -c $((megabytes * 1000000)) >"$scratch/www/large.bin" || true

ours() { measured "$lua" "$here/download.lua" "$1" "$site" /large.bin "$scratch/copy"; }
floor() { measured "$scratch/download" get "$site/large.bin"; }
idle() { ours idle; }
to_function() { ours function; }
to_file() { ours file; }
as_stream() { ours stream; }
by_lines() { ours lines; }
curl_tool() { measured curl --silent --output "$scratch/copy" "$site/large.bin"; }
requests() {
  measured python3 -c 'import requests, sys
with requests.get(sys.argv[1], stream=True) as r:
    for piece in r.iter_content(65536): pass' "$site/large.bin"
}

by floor "bare libcurl, to nowhere" curl_tool "the curl tool, to a file" \
  idle "datasession, no request" to_function "datasession, \`saveTo\` a function" \
  as_stream "datasession, \`chunks()\`" to_file "datasession, \`saveTo\` a file" \
  by_lines "datasession, \`lines()\`" requests "Python's requests, to nowhere"
compare "W7: $megabytes MB from the server"
