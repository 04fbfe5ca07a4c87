--- Names of other libraries and languages, in lower case, with their counterparts here: suggestions for
-- unknown names. Where a name has several, the first that is known where it was used counts.
return {
  -- Progress's JavaScript client, promises
  jsdosession = { "new" }, on = { "subscribe" }, off = { "unsubscribe" },
  ["then"] = { "next" }, catch = { "fail" }, finally = { "always" },
  user = { "username" }, delete = { "remove" }, size = { "count" },

  -- responses and errors
  code = { "status", "httpStatus" }, statuscode = { "status", "httpStatus" }, status = { "httpStatus" },
  text = { "body", "message" }, data = { "body" }, url = { "uri" }, params = { "query" },

  -- reading
  where = { "filter" }, orderby = { "sort" }, limit = { "top" }, offset = { "skip" }, pagesize = { "top" },

  -- operators of ABL, SQL and Lua
  op = { "operator" },
  ["="] = { "eq" }, ["=="] = { "eq" }, ["<>"] = { "neq" }, ["!="] = { "neq" }, ["~="] = { "neq" },
  ["<"] = { "lt" }, ["<="] = { "lte" }, [">"] = { "gt" }, [">="] = { "gte" },
  ne = { "neq" }, le = { "lte" }, ge = { "gte" },
  begins = { "startswith" }, matches = { "contains" }, like = { "contains" },
}
