-- command-files.lua MANDIR SHAREDIR: writes the command's man page and its completions for bash, zsh and
-- fish. All come from the parser of the command line. MANDIR `-`: the man page goes to standard output.

local command = require "datasession.command"

-- Text for roff: no line may begin with a dot or a quote, and hyphens of options must stay hyphens.
local function roff(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n([.'])", "\n\\&%1"):gsub("^([.'])", "\\&%1"))
end

local lines = {}

local function add(...) lines[#lines + 1] = string.format(...) end

local function addOptions(parser)
  for _, one in ipairs(parser._arguments) do
    add(".TP\n.I %s\n%s", roff(type(one._argname) == "string" and one._argname or one._name),
      roff(one._description or ""))
  end
  for _, one in ipairs(parser._options) do
    local value = type(one._argname) == "string" and " " .. one._argname or ""
    if one._aliases[1] ~= "-h" then
      add(".TP\n.B %s\n%s", roff(table.concat(one._aliases, ", ") .. value), roff(one._description or ""))
    end
  end
end

local function manual(parser)
  add('.TH DATASESSION 1 "" "%s" "User Commands"', require("datasession")._VERSION)
  add(".SH NAME\ndatasession \\- sessions with application servers, from the command line")
  add(".SH SYNOPSIS\n.B datasession\n.I command\n[\\fIoptions\\fR]")
  add(".SH DESCRIPTION\n%s", roff(parser._epilog))
  add(".SH COMMANDS")
  for _, one in ipairs(parser._commands) do
    if one._summary then
      add(".SS datasession %s\n%s", roff(one._name), roff(one._description or one._summary))
      addOptions(one)
      if one._epilog then add(".P\n%s", roff(one._epilog)) end
    end
  end
  add(".SH ENVIRONMENT")
  add(".TP\n.B DATASESSION_PASSWORD\nThe password or the token, in place of a question at the terminal.")
  add(".TP\n.B DATASESSION_HOME\nThe directory of the sessions of login. Default: " ..
    "$XDG_STATE_HOME/datasession/command, or ~/.local/state/datasession/command.")
  add(".TP\n.B NO_COLOR\nIf it is not empty, no colours.")
  return table.concat(lines, "\n") .. "\n"
end

local function write(path, text)
  os.execute(("mkdir -p '%s'"):format((path:match("^(.*)/") or "."):gsub("'", "'\\''")))
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
  print("  install " .. path)
end

local parser = command.parser()
local mandir, share = arg[1], arg[2]
if mandir == "-" then
  io.write(manual(parser))
else
  write(mandir .. "/datasession.1", manual(parser))
  write(share .. "/bash-completion/completions/datasession", parser:get_bash_complete())
  write(share .. "/zsh/site-functions/_datasession", parser:get_zsh_complete())
  write(share .. "/fish/vendor_completions.d/datasession.fish", parser:get_fish_complete())
end
