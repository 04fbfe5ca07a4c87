--- Who may log in at every server. The passwords are texts that are nowhere else: the logs are searched for them.
return {
  lua = { name = "lua", password = "Geheim-4711-field" },
  utf8 = { name = "zoë", password = "Gehëim-4713-€-field" },
  guest = { name = "guest", password = "Gast-4712-field" }, -- is known, but may not use the applications
  wrong = { name = "lua", password = "Falsch-4714-field" },
  unknown = { name = "nobody", password = "Niemand-4715-field" },
  token = "Bearer-4716-field", -- of the applications with bearer tokens
  proxy = { name = "transit", password = "Durch-4717-field" },
  key = "Schluessel-4718-field", -- of an encrypted private key
}
