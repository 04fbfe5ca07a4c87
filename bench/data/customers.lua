--- Prints what the benchmark's server sends to data objects: the catalog, the records of a fill, the answer
-- to a submit.
--
--   customers.lua catalog
--   customers.lua rows COUNT         180 bytes each
--   customers.lua submitted COUNT    the first COUNT records, changed as data.lua changes them

local what, count = arg[1], math.tointeger(arg[2] or 0)

local CATALOG = [[
{"version":"1.4","lastModified":"Fri Mar 01 09:00:00 UTC 2024","services":[{"name":"BenchData",
"address":"/rest/BenchData","settings":{"useRequest":true},"resources":[
{"name":"Customer","path":"/Customer","idProperty":"CustNum","schema":{"type":"object",
"additionalProperties":false,"properties":{"dsCustomer":{"type":"object","additionalProperties":false,
"properties":{"ttCustomer":{"type":"array","primaryKey":["CustNum"],
"items":{"additionalProperties":false,"properties":{
"_id":{"type":"string"},"_errorString":{"type":"string"},
"CustNum":{"type":"integer","ablType":"INTEGER","default":0,"title":"Cust Num"},
"Name":{"type":"string","ablType":"CHARACTER","default":"","title":"Name"},
"Address":{"type":"string","ablType":"CHARACTER","default":"","title":"Address"},
"City":{"type":"string","ablType":"CHARACTER","default":"","title":"City"},
"State":{"type":"string","ablType":"CHARACTER","default":"","title":"State"},
"SalesRep":{"type":"string","ablType":"CHARACTER","default":"","title":"Sales Rep"},
"CreditLimit":{"type":"number","ablType":"DECIMAL","default":1500,"title":"Credit Limit"},
"Balance":{"type":"number","ablType":"DECIMAL","default":0,"title":"Balance"},
"Since":{"type":"string","ablType":"DATE","format":"date","default":null,"title":"Since"}
}}}}}}},"operations":[
{"type":"read","path":"?filter={filter}","verb":"get","useBeforeImage":true,
"params":[{"name":"filter","type":"QUERY","xType":"CHARACTER"},
{"name":"dsCustomer","type":"RESPONSE_BODY","xType":"DATASET"}]},
{"type":"update","path":"","verb":"put","useBeforeImage":true,
"params":[{"name":"dsCustomer","type":"REQUEST_BODY,RESPONSE_BODY","xType":"DATASET"}]},
{"type":"submit","name":"SubmitCustomer","path":"/SubmitCustomer","verb":"put","useBeforeImage":true,
"params":[{"name":"dsCustomer","type":"REQUEST_BODY,RESPONSE_BODY","xType":"DATASET"}]}]}]}]}
]]

local CITIES = { "Burlington", "Boston", "Oslo", "Santiago", "Wellington" }
local REPS = { "HXM", "DKP", "BBB", "SLS", "JAL" }

local ROW = [[{"CustNum":%d,"Name":"Customer %d Ltd.","Address":"%d North Street","City":"%s",]] ..
  [["State":"%s","SalesRep":"%s","CreditLimit":%.1f,"Balance":%.2f,"Since":"20%02d-03-%02d"%s}]]

local function row(n, rep, limit, marks)
  return ROW:format(n, n, n % 977, CITIES[n % 5 + 1], n % 3 == 0 and "MA" or "VT", rep or REPS[n % 5 + 1],
    limit or n % 1000 * 10 + 0.5, n * 7919 % 100003 / 100, n % 24, n % 28 + 1, marks or "")
end

local function rows(make)
  local texts = {}
  for n = 1, count do texts[n] = make(n) end
  return table.concat(texts, ",")
end

local function changed(n)
  local marks = ',"prods:id":"%d","prods:clientId":"%d","prods:rowState":"modified"'
  return row(n, "NEW", n + 0.5, marks:format(n, n))
end

local function before(n)
  return row(n, nil, nil, (',"prods:id":"%d"'):format(n))
end

local texts = {}

function texts.catalog()
  return CATALOG
end

function texts.rows()
  return ('{"dsCustomer":{"ttCustomer":[%s]}}'):format(rows(row))
end

function texts.submitted()
  local text = '{"dsCustomer":{"prods:hasChanges":true,"ttCustomer":[%s],"prods:before":{"ttCustomer":[%s]}}}'
  return text:format(rows(changed), rows(before))
end

io.write(texts[what]())
