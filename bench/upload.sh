#!/usr/bin/env bash
# upload.sh: one large body to nginx on loopback, which discards it, beside bare libcurl (download.c), the
# curl tool and Python's requests, if they are there. `make bench` runs it. BENCH_UPLOAD: megabytes (200).
# BENCH_REPEATS: runs of each (3).
. "$(dirname "$0")/bodies.sh"

megabytes=${BENCH_UPLOAD:-200}
head -c $((megabytes * 1000000)) /dev/zero >"$scratch/large"

ours() { measured "$lua" "$here/upload.lua" "$1" "$site" /discard "$scratch/large"; }
floor() { measured "$scratch/download" put "$site/discard" "$scratch/large"; }
idle() { ours idle; }
only_read() { ours read; }
from_file() { ours file; }
from_function() { ours function; }
of_a_size() { ours sized; }
as_form() { ours form; }
curl_tool() { measured curl --silent --upload-file "$scratch/large" "$site/discard"; }
requests() {
  measured python3 -c 'import requests, sys
with open(sys.argv[2], "rb") as f: requests.put(sys.argv[1], data=f)' "$site/discard" "$scratch/large"
}

by floor "bare libcurl, from a file" curl_tool "the curl tool, from a file" \
  idle "datasession, no request" from_file "datasession, \`bodyFile\`" as_form "datasession, \`multipart\`" \
  only_read "datasession, no request, a function that reads 64 KB" \
  from_function "datasession, that function" of_a_size "datasession, that function with \`bodyLength\`" \
  requests "Python's requests, from a file"
compare "W8: $megabytes MB to the server"
