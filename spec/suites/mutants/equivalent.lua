-- Mutants that change nothing that a program could notice. `old` and `new` are the lines without the blanks
-- around them. `make mutants` fails for an entry that fits no mutant any more.
return {
  { file = "csrc/net/headers.c", old = "while (at < length) {", new = "while (at <= length) {",
    why = "at the end neither a name nor a line feed is found, which ends the search" },
  { file = "lua/datasession/sandbox.lua",
    old = 'checkModel(self, model, 2) | control(self, "setAppServer", { up = up, model = model })',
    new = 'control(self, "setAppServer", { up = up, model = model }) | checkModel(self, model, 2)',
    why = "the call raises all the same, and no web application has a model that does not exist" },
  { file = "lua/datasession/internal/data/ids.lua", old = "m.last = counter", new = "",
    why = "the numbers are then kept in a table sooner: the same numbers, more memory" },
  { file = "lua/datasession/internal/data/tableref.lua", old = "memory.delete(r) | setWorking(m, nil)",
    new = "setWorking(m, nil) | memory.delete(r)", why = "delete is given the record and asks for no other" },
  { file = "lua/datasession/internal/data/ids.lua",
    old = "enter(m, index, m.hidden, r) | setIndex(m, index)",
    new = "setIndex(m, index) | enter(m, index, m.hidden, r)",
    why = "enter changes the index in place; the order counts when memory runs out, which torture tries" },
  { file = "lua/datasession/internal/data/ids.lua",
    old = "setIndex(m, nil) | enter(m, index, m.hidden, r)",
    new = "enter(m, index, m.hidden, r) | setIndex(m, nil)",
    why = "enter is given the index; the order counts when memory runs out, which torture tries" },
}
