-- Mutants that change nothing that a program could notice. `old` and `new` are the lines without the blanks
-- around them. `make mutants` fails for an entry that fits no mutant any more.
return {
}
