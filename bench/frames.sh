#!/usr/bin/env bash
# frames.sh: CPU time of a step for a host that steps 60 times a second with a budget, as a Markdown table:
# medians of runs, and the worst step of all. The first step of a process stands apart: over TLS libcurl reads
# the CA certificates in it. `make bench-frames` runs it. BENCH_REPEATS: runs of each (3); BENCH_SECONDS: how
# long each is (5).
. "$(dirname "$0")/common.sh"

repeats=${BENCH_REPEATS:-3}
seconds=${BENCH_SECONDS:-5}
need nginx pkg-config openssl

authorities=
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [ -z "$authorities" ] && [ -f "$file" ] && authorities=$file
done

frames() { # NAME WORK SESSIONS URI [CA-FILE]
  local name=$1 i
  shift
  for ((i = 0; i < repeats; i++)); do
    BENCH_CA=${4-} "$lua" "$here/frames.lua" "$1" "$2" "$seconds" "$3"
  done >"$scratch/frames.out"
  printf '| %s | %s | %s | %s | %s |\n' "$name" "$(column 1 | median)" "$(column 2 | median)" \
    "$(column 3 | median)" "$(column 3 | sort -n | tail -n 1)"
}

column() { cut -d' ' -f"$1" "$scratch/frames.out"; }

start_server
"$lua" "$here/data/customers.lua" catalog >"$scratch/data.json"
"$lua" "$here/data/customers.lua" rows 10000 >"$scratch/customers10000.json"
for number in 1 2; do
  "$lua" "$here/catalog.lua" 5242880 | sed "s/BenchService\",\$/&\"large\":$number,/" \
    >"$scratch/large$number.json"
done
cat ${authorities:+"$authorities"} "$scratch/server.pem" >"$scratch/authorities.pem"

http=http://127.0.0.1:$port/App https=https://127.0.0.1:$((port + 1))/App
two=https://127.0.0.1:$((port + 2))/App
small=$scratch/server.pem all=$scratch/authorities.pem
echo "| load, budget 2 ms unless named | first step, ms | 99 %, ms | worst, ms | worst of all, ms |"
echo "| --- | ---: | ---: | ---: | ---: |"
frames "nothing pends" idle 0 "$http"
frames "50 sessions connect and ping, http" pings 50 "$http"
frames "50 sessions connect and ping, https" pings 50 "$https" "$small"
frames "50 sessions connect and ping, https, the system's CAs" pings 50 "$https" "$all"
frames "50 sessions connect and ping, HTTP/2, the system's CAs" pings 50 "$two" "$all"
frames "4 sessions ping, two catalogs of 5 MB, http" catalog 4 "$http"
frames "4 sessions ping, two catalogs of 5 MB, https" catalog 4 "$https" "$small"
BENCH_BUDGET=4 frames "4 sessions ping, 5 fills of 10,000 records, budget 4 ms, http" fill 4 "$http"
echo
versions
