#!/usr/bin/env bash
# upload.sh: one large body to nginx on loopback, which discards it: CPU time and peak memory of whole
# processes, medians of runs in turns, beside bare libcurl (download.c), the curl tool and Python's requests,
# if they are there. `make bench` runs it. BENCH_UPLOAD: megabytes (200). BENCH_REPEATS: runs of each (3).
. "$(dirname "$0")/common.sh"

megabytes=${BENCH_UPLOAD:-200}
repeats=${BENCH_REPEATS:-3}
need nginx pkg-config openssl
share_a_core

start_server
head -c $((megabytes * 1000000)) /dev/zero >"$scratch/large"
# shellcheck disable=SC2046 # words
${CC:-cc} -O2 $(pkg-config --cflags libcurl) -o "$scratch/download" "$here/download.c" \
  $(pkg-config --libs libcurl)

site=http://127.0.0.1:$port
measured() { "$scratch/download" measure "$@"; }
ours() { measured "$lua" "$here/upload.lua" "$1" "$site" /discard "$scratch/large"; }
floor() { measured "$scratch/download" put "$site/discard" "$scratch/large"; }
idle() { ours idle; }
from_file() { ours file; }
from_function() { ours function; }
of_a_size() { ours sized; }
as_form() { ours form; }
curl_tool() { measured curl --silent --upload-file "$scratch/large" "$site/discard"; }
requests() {
  measured python3 -c 'import requests, sys
with open(sys.argv[2], "rb") as f: requests.put(sys.argv[1], data=f)' "$site/discard" "$scratch/large"
}

runners=(floor curl_tool idle from_file from_function of_a_size as_form)
! python3 -c 'import requests' 2>"$scratch/error.txt" || runners+=(requests)
command -v curl >"$scratch/error.txt" || runners=("${runners[@]/curl_tool/}")
for ((i = 0; i < repeats; i++)); do # in turns: what disturbs one disturbs the others
  for runner in "${runners[@]}"; do [ -z "$runner" ] || "$runner" >>"$scratch/$runner.out"; done
done

declare -A names=([floor]="bare libcurl, from a file" [curl_tool]="the curl tool, from a file"
  [idle]="datasession, no request" [from_file]="datasession, \`bodyFile\`"
  [from_function]="datasession, a function" [of_a_size]="datasession, a function with \`bodyLength\`"
  [as_form]="datasession, \`multipart\`" [requests]="Python's requests, from a file")
echo "| W8: $megabytes MB to the server, by | CPU, ms | ratio | peak memory, MB |"
echo "| --- | ---: | ---: | ---: |"
for runner in "${runners[@]}"; do
  [ -n "$runner" ] || continue
  cpu=$(cut -d' ' -f1 "$scratch/$runner.out" | median) kb=$(cut -d' ' -f2 "$scratch/$runner.out" | median)
  first=${first:-$cpu}
  printf '| %s | %s | %s | %s |\n' "${names[$runner]}" "$cpu" "$(ratio "$cpu" "$first")" \
    "$(awk -v v="$kb" 'BEGIN { printf "%.1f", v / 1024 }')"
done
