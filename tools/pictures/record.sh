#!/bin/sh
# record.sh BUILD LUA NPM PICTURE COLUMNS ROWS: records play.lua as docs/pictures/PICTURE.svg.
set -eu
build=$1 lua=$2 npm=$3 picture=$4 columns=$5 rows=$6
cast=build/pictures/$picture.cast
mkdir -p build/pictures docs/pictures
TERM=xterm-256color tools/in-tree.sh "$build" asciinema rec --quiet --overwrite \
  --cols "$columns" --rows "$rows" --command "$lua tools/pictures/play.lua $picture" "$cast" </dev/null
"$npm/node_modules/.bin/svg-term" --in "$cast" --out "docs/pictures/$picture.svg" --window --no-cursor
echo "docs/pictures/$picture.svg"
