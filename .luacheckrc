std = "lua54"
max_line_length = 110
self = false -- a method need not use its self
files["spec"] = { std = "+busted" }
files[".busted"] = { std = "lua54" }
