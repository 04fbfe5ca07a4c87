#!/bin/sh
# try-installed.sh: tries the datasession that is installed, of which VERSION names the version: the module,
# the command, and the command's doctor against the sandbox.
set -eu
lua5.4 - <<'END'
local found = require("datasession")._VERSION
assert(found == "datasession " .. os.getenv "VERSION", found)
END
datasession version | grep -Fx "datasession $VERSION"

addresses=$(mktemp -u)
mkfifo "$addresses"
datasession sandbox >"$addresses" &
sandbox=$!
exec 3<"$addresses" # stays open, so that the sandbox can write on
rm "$addresses"
uri=
while read -r name address _ <&3; do
  if [ "$name" = form ]; then uri=$address && break; fi
done
[ -n "$uri" ] || exit 1
trap 'kill $sandbox' EXIT
DATASESSION_PASSWORD=secret datasession doctor "$uri" --user lua --catalog static/CustomerService.json
if DATASESSION_PASSWORD=wrong datasession doctor "$uri" --user lua; then exit 1; fi
