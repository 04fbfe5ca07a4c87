#!/usr/bin/env bash
# loading.sh: a catalog of 5 MB beside lua-cjson's decode alone, as a Markdown table: instructions, CPU time,
# peak memory. Run it through tools/in-tree.sh, which says where the module is: tools/in-tree.sh build
# bench/loading.sh
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
lua=${LUA:-lua5.4}
bytes=${BENCH_CATALOG:-5242880}
repeats=${BENCH_REPEATS:-5}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$lua" "$here/catalog.lua" "$bytes" >"$scratch/catalog.json"
sed 's/"name":"BenchService"/"n\\u0061me":"BenchService"/' "$scratch/catalog.json" >"$scratch/unusual.json"

file_of() { [ "$1" = unusual ] && echo "$scratch/unusual.json" || echo "$scratch/catalog.json"; }

run() { "${under[@]}" "$lua" "$here/loading.lua" "$1" "$2" "$(file_of "$1")"; }

# Counts those of one loading: the rest of the process drops out.
instructions() { # WORK
  local count total=()
  for count in 0 1; do
    under=(valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/callgrind.out")
    run "$1" "$count" >/dev/null
    total+=("$(awk '/^(totals|summary):/ { n = $2 } END { print n }' "$scratch/callgrind.out")")
  done
  under=()
  echo $((total[1] - total[0]))
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

under=()
works=(decode load use unusual)
for ((i = 0; i < repeats; i++)); do # in turns: what disturbs one disturbs the others
  for work in "${works[@]}"; do run "$work" 1 >>"$scratch/$work"; done
done
echo "| catalog of $bytes bytes | instructions | ratio | CPU time, ms | ratio | peak memory, MB |"
echo "| --- | ---: | ---: | ---: | ---: | ---: |"
for work in "${works[@]}"; do
  n=$(instructions "$work")
  ms=$(cut -d' ' -f1 "$scratch/$work" | median) kb=$(cut -d' ' -f2 "$scratch/$work" | median)
  [ "$work" = decode ] && base_n=$n base_ms=$ms
  awk -v w="$work" -v n="$n" -v m="$ms" -v k="$kb" -v bn="$base_n" -v bm="$base_ms" \
    'BEGIN { printf "| %s | %.0f | %.3f | %.1f | %.3f | %.1f |\n", w, n, n / bn, m, m / bm, k / 1024 }'
done
