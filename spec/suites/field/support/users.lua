--- The users of every server. The logs are searched for the passwords: texts that are nowhere else.
return {
  lua = { name = "lua", password = "Geheim-4711-field" },
  utf8 = { name = "zoë", password = "Gehëim-4713-€-field" },
  guest = { name = "guest", password = "Gast-4712-field" }, -- is known, but may not use the applications
  wrong = { name = "lua", password = "Falsch-4714-field" },
  unknown = { name = "nobody", password = "Niemand-4715-field" },
  token = "Bearer-4716-field", -- of the applications with bearer tokens
  proxy = { name = "transit", password = "Durch-4717-field" },
  noproxy = { name = "transit", password = "Falsch-4720-field" },
  key = "Schluessel-4718-field", -- of an encrypted private key
}
