-- What is not run under wine, with its reason: specs, { a part of the path, a part of the name or nil, the
-- reason }; those that load a Lua module; those that load a file. docs/hosts.md lists the reasons.
local MODULE = "needs a Lua module in C that is not built for Windows"
local PRELOADS = "preloads a library into a program of a Unix"
local UNIX = "is about a Unix's modes, links, pipes, directories or environment"
local SANDBOX = "starts a sandbox in the client's process"
local SIGNAL = "sends a signal of a Unix, or sets its limits"
local REASON = "expects the words of a Unix for the reason of a failure"

return {
  specs = {
    { "spec/catalog/catalog_spec.lua", "in a time near that of decoding it", "measures time" },
    { "spec/catalog/catalog_spec.lua", "names the path and the reason", REASON },
    { "spec/data/date_spec.lua", "agree with the system's calendar", "Windows' calendar begins in 1970" },
    { "spec/data/date_spec.lua", "take the time zone of the process", UNIX },
    { "spec/data/date_spec.lua", "without a zone that of the process", UNIX },
    { "spec/data/localstorage_spec.lua", "neither the data object nor its session has a store", UNIX },
    { "spec/protocol/datasnap/channel_spec.lua", "examples/chat.lua", SANDBOX },
    { "spec/protocol/lua/protocol_spec.lua", "works as the example shows", SANDBOX },
    { "spec/runtime/har_spec.lua", "the disk is full", SIGNAL },
    { "spec/runtime/interrupt_spec.lua", "Ctrl-C", SIGNAL },
    { "spec/runtime/loop_spec.lua", "lets a signal interrupt", SIGNAL },
    { "spec/runtime/silence_spec.lua", "options of sandbox.start", SANDBOX },
    { "spec/runtime/silence_spec.lua", "called with a full stop", SANDBOX },
    { "spec/store/storage_spec.lua", "keeps all in files of its directory", UNIX },
    { "spec/store/storage_spec.lua", "is in XDG_STATE_HOME", UNIX },
    { "spec/store/storage_spec.lua", "follows no symbolic link", UNIX },
    { "spec/store/storage_spec.lua", "a file that others may use", UNIX },
    { "spec/store/storage_spec.lua", "a directory of somebody else", UNIX },
    { "spec/store/storage_spec.lua", "writes through no link", UNIX },
    { "spec/store/storage_spec.lua", "does not write where others may", UNIX },
    { "spec/store/storage_spec.lua", "neither waits for a pipe", UNIX },
    { "spec/store/storage_spec.lua", "says why it could not write", REASON },
    { "spec/store/storage_spec.lua", "the old one stays what it was", "Windows replaces no file that a program has open" },
    { "spec/protocol/datasnap/stream_spec.lua", "says which file cannot", REASON },
  },
  modules = { socket = MODULE, ["socket.core"] = MODULE, ssl = MODULE, lpeg = MODULE, cqueues = MODULE,
    ["cqueues.condition"] = MODULE, luv = MODULE },
  files = { ["spec/support/disk.lua"] = PRELOADS,
    ["spec/support/locales.lua"] = "sets a locale by a Unix's name" },
}
