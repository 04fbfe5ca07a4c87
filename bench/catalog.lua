--- Prints a Data Service Catalog of about so many bytes: one service, as many resources as it takes.
--
--   catalog.lua [BYTES]

local limit = tonumber(arg[1]) or 20 * 1024

local head = [[
{"version":"1.4","lastModified":"Fri Mar 01 09:00:00 UTC 2024","services":[{"name":"BenchService",
"address":"/rest/BenchService","settings":{"useRequest":true},"resources":[]]

local tail = "]}]}"

-- $N: the resource's number
local resource = [[
{"name":"Pet$N","path":"/Pet$N","schema":{"type":"object","additionalProperties":false,"properties":{
"dsPet$N":{"type":"object","additionalProperties":false,"properties":{"ttPet":{"type":"array",
"primaryKey":["PetNum"],"items":{
"additionalProperties":false,"properties":{
"_id":{"type":"string"},"_errorString":{"type":"string"},
"PetNum":{"type":"integer","ablType":"INTEGER","default":0,"title":"Pet"},
"Name":{"type":"string","ablType":"CHARACTER","default":"","title":"Name"},
"Kind":{"type":"string","ablType":"CHARACTER","default":"cat","title":"Kind"},
"Keeper":{"type":"string","ablType":"CHARACTER","default":"","title":"Keeper"},
"Price":{"type":"number","ablType":"DECIMAL","default":12.5,"title":"Price"},
"Sold":{"type":"boolean","ablType":"LOGICAL","default":false,"title":"Sold"},
"Born":{"type":"string","ablType":"DATE","format":"date","default":null,"title":"Born"},
"Weights":{"type":"array","ablType":"DECIMAL","maxItems":3,"items":{"type":"number"},"default":0}
}}}}}}},"operations":[
{"type":"read","path":"?filter={filter}","verb":"get","useBeforeImage":true,"mappingType":"JFP",
"capabilities":"ablFilter,top,skip,id,orderBy","params":[{"name":"filter","type":"QUERY","xType":"CHARACTER"},
{"name":"dsPet","type":"RESPONSE_BODY","xType":"DATASET"}]},
{"type":"create","path":"","verb":"post","useBeforeImage":true,
"params":[{"name":"dsPet","type":"REQUEST_BODY,RESPONSE_BODY","xType":"DATASET"}]},
{"type":"submit","name":"SubmitPet","path":"/SubmitPet","verb":"put","useBeforeImage":true,
"params":[{"name":"dsPet","type":"REQUEST_BODY,RESPONSE_BODY","xType":"DATASET"}]},
{"type":"count","name":"count","path":"/count?filter={filter}","verb":"put","params":[
{"name":"filter","type":"QUERY"},
{"name":"numRecs","type":"RESPONSE_BODY","xType":"INTEGER"}]},
{"type":"invoke","name":"Feed","path":"/Feed","verb":"put",
"params":[{"name":"grams","type":"REQUEST_BODY","xType":"INTEGER"}]}]}]]

local resources, size = {}, #head + #tail
repeat
  local text = resource:gsub("%$N", #resources + 1)
  resources[#resources + 1] = text
  size = size + #text + 2
until size + #text > limit

io.write(head, table.concat(resources, ",\n"), tail, "\n")
