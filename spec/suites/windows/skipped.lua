-- The specs that are not run under wine: { a part of the path, a part of the name or nil, the reason }.
return {
  { "spec/catalog/catalog_spec.lua", "in a time near that of decoding it", "measures time" },
  { "spec/catalog/catalog_spec.lua", "names the path and the reason", "Windows gives another reason" },
  { "spec/data/date_spec.lua", "agree with the system's calendar", "Windows' calendar begins in 1970" },
  { "spec/runtime/silence_spec.lua", "options of sandbox.start", "the sandbox is in another process" },
  { "spec/runtime/silence_spec.lua", "called with a full stop", "the sandbox is in another process" },
  { "spec/protocol/datasnap/stream_spec.lua", "says which file cannot", "Windows gives another reason" },
}
