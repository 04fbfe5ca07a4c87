# bodies.sh: what download.sh and upload.sh share, which source it: CPU time and peak memory of whole
# processes, medians of runs in turns.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

repeats=${BENCH_REPEATS:-3}
need nginx pkg-config openssl
share_a_core
start_server
# shellcheck disable=SC2046 # words
${CC:-cc} -O2 $(pkg-config --cflags libcurl) -o "$scratch/download" "$here/download.c" \
  $(pkg-config --libs libcurl)
# shellcheck disable=SC2034 # for the scripts
site=http://127.0.0.1:$port
declare -A names=()

measured() { "$scratch/download" measure "$@"; }

# by FUNCTION NAME...: the functions of the table and their names. The first is what the others are compared
# with.
by() {
  runners=()
  while [ $# -gt 0 ]; do
    names[$1]=$2
    case $1 in
      curl_tool) ! command -v curl >"$scratch/error.txt" || runners+=("$1") ;;
      requests) ! python3 -c 'import requests' 2>"$scratch/error.txt" || runners+=("$1") ;;
      *) runners+=("$1") ;;
    esac
    shift 2
  done
}

print_row() { # RUNNER
  local cpu kb
  cpu=$(cut -d' ' -f1 "$scratch/$1.out" | median) kb=$(cut -d' ' -f2 "$scratch/$1.out" | median)
  first=${first:-$cpu}
  printf '| %s | %s | %s | %s |\n' "${names[$1]}" "$cpu" "$(ratio "$cpu" "$first")" \
    "$(awk -v v="$kb" 'BEGIN { printf "%.1f", v / 1024 }')"
}

# compare TITLE: the table.
compare() {
  local i runner first=
  for ((i = 0; i < repeats; i++)); do # in turns: what disturbs one disturbs the others
    for runner in "${runners[@]}"; do "$runner" >>"$scratch/$runner.out"; done
  done
  echo "| $1, by | CPU, ms | ratio | peak memory, MB |"
  echo "| --- | ---: | ---: | ---: |"
  for runner in "${runners[@]}"; do print_row "$runner"; done
}
