#!/usr/bin/env bash
# download.sh: one large body from nginx on loopback: CPU time and peak memory of whole processes, medians of
# runs in turns, beside bare libcurl (download.c), the curl tool and Python's requests, if they are there.
# `make bench` runs it. BENCH_DOWNLOAD: megabytes (200). BENCH_REPEATS: runs of each (3).
. "$(dirname "$0")/common.sh"

megabytes=${BENCH_DOWNLOAD:-200}
repeats=${BENCH_REPEATS:-3}
need nginx pkg-config openssl
share_a_core

start_server
mkdir -p "$scratch/www"
yes 'a line of a large document, which is as long as lines of data often are' |
  head -c $((megabytes * 1000000)) >"$scratch/www/large.bin" || true
# shellcheck disable=SC2046 # words
${CC:-cc} -O2 $(pkg-config --cflags libcurl) -o "$scratch/download" "$here/download.c" \
  $(pkg-config --libs libcurl)

site=http://127.0.0.1:$port
ours() { measured "$lua" "$here/download.lua" "$1" "$site" /large.bin "$scratch/copy"; }
measured() { "$scratch/download" measure "$@"; }
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

runners=(floor curl_tool idle to_function as_stream to_file by_lines)
! python3 -c 'import requests' 2>"$scratch/error.txt" || runners+=(requests)
command -v curl >"$scratch/error.txt" || runners=("${runners[@]/curl_tool/}")
for ((i = 0; i < repeats; i++)); do # in turns: what disturbs one disturbs the others
  for runner in "${runners[@]}"; do [ -z "$runner" ] || "$runner" >>"$scratch/$runner.out"; done
done

declare -A names=([floor]="bare libcurl, to nowhere" [curl_tool]="the curl tool, to a file"
  [idle]="datasession, no request" [to_function]="datasession, \`saveTo\` a function"
  [as_stream]="datasession, \`chunks()\`" [to_file]="datasession, \`saveTo\` a file"
  [by_lines]="datasession, \`lines()\`" [requests]="Python's requests, to nowhere")
echo "| W7: $megabytes MB from the server, by | CPU, ms | ratio | peak memory, MB |"
echo "| --- | ---: | ---: | ---: |"
for runner in "${runners[@]}"; do
  [ -n "$runner" ] || continue
  cpu=$(cut -d' ' -f1 "$scratch/$runner.out" | median) kb=$(cut -d' ' -f2 "$scratch/$runner.out" | median)
  first=${first:-$cpu}
  printf '| %s | %s | %s | %s |\n' "${names[$runner]}" "$cpu" "$(ratio "$cpu" "$first")" \
    "$(awk -v v="$kb" 'BEGIN { printf "%.1f", v / 1024 }')"
done
