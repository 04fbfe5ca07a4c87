std = "lua54"
max_line_length = 120 -- tools/words.lua holds all but long texts to 110
self = false -- a method need not use its self
files["spec"] = { std = "+busted" }
files[".busted"] = { std = "lua54" }
