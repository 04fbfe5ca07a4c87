# help.awk MAKEFILE...: the targets that `## TARGET: TEXT` describes, by the groups that `### GROUP` opens.
/^### / {
  group = substr($0, 5)
  if (!(group in targets)) order[++groups] = group
}
/^## [a-zA-Z0-9\/-]+: / {
  colon = index($0, ": ")
  targets[group] = targets[group] sprintf("  %-17s %s\n", substr($0, 4, colon - 4), substr($0, colon + 2))
}
END {
  for (i = 1; i <= groups; i++) printf "%s%s\n%s", (i > 1 ? "\n" : ""), order[i], targets[order[i]]
}
