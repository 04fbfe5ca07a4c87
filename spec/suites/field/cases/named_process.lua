--- named_process.lua NAME DIRECTORY URI [CAFILE]: goes on with the session of that name, and logs it out.
local datasession = require "datasession"
local storage = require "datasession.storage"

local name, directory, uri, caFile = table.unpack(arg)
local session = datasession.new {
  serviceURI = uri, authenticationModel = "form", caFile = caFile ~= "" and caFile or nil, proxy = false,
  name = name, storage = storage.file(directory),
}
io.write(session.state, ", ")
assert(session:isAuthorized():await(30))
local response = assert(session:request { path = "bodies/500" }:await(30))
assert(session:reloadCatalogs():await(30))
io.write("authorized, ", #response.body, " bytes, ", #session.catalogs, " catalogs, ")
io.write(session:getContextProperty "from", ", ")
assert(session:logout():await(30))
datasession.run(1)
print(storage.file(directory):get(name) == nil and session.state or "it is still stored")
