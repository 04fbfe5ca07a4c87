-- floors.lua: fails for each #include and each require that goes up. A floor may use itself and those that stand after it.
-- The order is this table; `docs/internals/architecture.md` shows it as a picture.
local C = {
  ["csrc"] = { "csrc/protocol", "csrc/store", "csrc/catalog", "csrc/session", "csrc/runtime", "csrc/net" },
}
return C
