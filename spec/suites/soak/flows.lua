--- The soak's requests whose body is taken as it comes: into files, by functions, as streams that are read in
-- part, left or forgotten.
local datasession = require "datasession"

local flows = {}

-- Done by the function that takes the bytes.
local function trouble(rnd, soak)
  if rnd:chance(0.3) then datasession.sleep(rnd:number(0.02)) end
  if rnd:chance(0.2) then datasession.nextStep() end
  if rnd:chance(0.2) then soak.any() end
  if rnd:chance(0.05) then error "soak: on purpose" end
end

local function intoFile(rnd, options)
  local path = os.tmpname()
  options.saveTo, options.resume = path, rnd:chance(0.3)
  return function()
    for _, suffix in ipairs { "", ".part", ".part.version" } do os.remove(path .. suffix) end
  end
end

local function read(response, rnd, soak)
  local iterate = rnd:chance(0.5) and response:chunks() or response:lines()
  for _ = 1, rnd:upTo(20) do
    if not iterate() then return true end
    trouble(rnd, soak)
  end
  if rnd:chance(0.5) then response:close() end -- else it is forgotten
  return true
end

local function stream(slot, rnd, soak, options)
  local session = slot.session
  return datasession.spawn(function()
    options.stream = true
    local response, err = session:request(options):await(rnd:chance(0.2) and rnd:number(0.02) or nil)
    if not response then error(err, 0) end
    return read(response, rnd, soak)
  end)
end

local function request(slot, rnd, soak, options)
  local remove
  if rnd:chance(0.5) then
    remove = intoFile(rnd, options)
  else
    options.saveTo = function() trouble(rnd, soak) end
  end
  local promise = slot.session:request(options)
  return remove and promise:always(remove) or promise
end

--- The entry for the list of actions.
function flows.action(ledger)
  return { 12, "flow", function(slot, rnd, soak)
    local options = {}
    for name, value in pairs(rnd:of(slot.system.safe)) do options[name] = value end
    if rnd:chance(0.2) then options.timeout = 0.001 + rnd:number(0.05) end
    local make = rnd:chance(0.4) and stream or request
    local promise = ledger.watch("flow of " .. slot.system.name, make(slot, rnd, soak, options))
    if rnd:chance(0.1) then promise:cancel() end
  end }
end

return flows
