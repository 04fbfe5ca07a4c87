-- The specs that are not run under wine, with the reason: single ones, { a part of the path, a part of the
-- name or nil, the reason }; those that use a Lua module; those that use a file. docs/hosts.md lists the
-- reasons.
local MODULE = "needs a Lua module in C that is not built for Windows"
local PRELOADS = "preloads a library into a program of a Unix"
local UNIX = "is about a Unix's modes, links, pipes, devices, terminals, directories or environment"
local SANDBOX = "starts a sandbox in the client's process"
local SIGNAL = "sends a signal of a Unix, or sets its limits"
local LINES = "reads a text file byte by byte: its lines end as Windows' do"
local OPEN = "replaces or removes a file that a program has open, which Windows refuses"
local REASON = "expects the words of a Unix for the reason of a failure"

return {
  specs = {
    { "spec/catalog/catalog_spec.lua", "in a time near that of decoding it", "measures time" },
    { "spec/catalog/catalog_spec.lua", "names the path and the reason", REASON },
    { "spec/data/date_spec.lua", "agree with the system's calendar",
      "asks the system for dates before 1970, which Windows' calendar lacks" },
    { "spec/data/date_spec.lua", "take the time zone of the process", UNIX },
    { "spec/data/date_spec.lua", "without a zone that of the process", UNIX },
    { "spec/data/localstorage_spec.lua", "neither the data object nor its session has a store", UNIX },
    { "spec/protocol/datasnap/channel_spec.lua", "examples/chat.lua", SANDBOX },
    { "spec/protocol/datasnap/protocol_spec.lua", "examples/datasnap.lua", SANDBOX },
    { "spec/protocol/datasnap/store_spec.lua", "comes back in another process", UNIX },
    { "spec/protocol/lua/protocol_spec.lua", "works as the example shows", SANDBOX },
    { "spec/runtime/har_spec.lua", "the disk is full", SIGNAL },
    { "spec/runtime/interrupt_spec.lua", "Ctrl-C", SIGNAL },
    { "spec/runtime/limits_spec.lua", "can be set before anything else is done", SANDBOX },
    { "spec/runtime/loop_spec.lua", "lets a signal interrupt", SIGNAL },
    { "spec/runtime/loop_spec.lua", "by its descriptor that there is something to do", MODULE },
    { "spec/runtime/schedulers_spec.lua", "luv", MODULE },
    { "spec/runtime/trace_spec.lua", "only its owner may use", UNIX },
    { "spec/runtime/trace_spec.lua", "DATASESSION_TRACE names a file", LINES },
    { "spec/runtime/silence_spec.lua", "options of sandbox.start", SANDBOX },
    { "spec/runtime/silence_spec.lua", "called with a full stop", SANDBOX },
    { "spec/session/flow_spec.lua", "when the disk is full", UNIX },
    { "spec/session/flow_spec.lua", "is none: a device", UNIX },
    { "spec/session/flow_spec.lua", "what was written has vanished", OPEN },
    { "spec/session/progress_spec.lua", "draws what is sent", UNIX },
    { "spec/session/progress_spec.lua", "has a label, and no bar", UNIX },
    { "spec/session/send_spec.lua", "says which file cannot be read", UNIX },
    { "spec/session/send_spec.lua", "it begins again",
      "resets a connection while a function gives the body: libcurl does not notice that under wine" },
    { "spec/store/storage_spec.lua", "keeps all in files of its directory", UNIX },
    { "spec/store/storage_spec.lua", "is in XDG_STATE_HOME", UNIX },
    { "spec/store/storage_spec.lua", "follows no symbolic link", UNIX },
    { "spec/store/storage_spec.lua", "a file that others may use", UNIX },
    { "spec/store/storage_spec.lua", "a directory of somebody else", UNIX },
    { "spec/store/storage_spec.lua", "writes through no link", UNIX },
    { "spec/store/storage_spec.lua", "does not write where others may", UNIX },
    { "spec/store/storage_spec.lua", "neither waits for a pipe", UNIX },
    { "spec/store/storage_spec.lua", "says why it could not write", REASON },
    { "spec/store/storage_spec.lua", "the old one stays what it was", OPEN },
    { "spec/protocol/datasnap/stream_spec.lua", "says which file cannot", REASON },
  },
  modules = { socket = MODULE, ["socket.core"] = MODULE, ssl = MODULE, lpeg = MODULE, cqueues = MODULE,
    ["cqueues.condition"] = MODULE, luv = MODULE },
  files = { ["spec/support/disk.lua"] = PRELOADS,
    ["spec/support/locales.lua"] = "sets a locale by a Unix's name" },
}
