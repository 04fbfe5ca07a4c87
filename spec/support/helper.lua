-- Busted runs this first.
dofile "spec/support/forget.lua"
dofile "spec/support/bound.lua"
