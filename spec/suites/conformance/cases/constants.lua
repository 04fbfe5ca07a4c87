-- Section 2: the constants, by name and value.
local function constants(names)
  local steps = {}
  for i, name in ipairs(names) do steps[i] = { "constant", name } end
  return steps
end

return {
  { name = "the result codes", sections = { "2" }, steps = constants {
    "SUCCESS", "LOGIN_SUCCESS", "AUTHENTICATION_FAILURE", "LOGIN_AUTHENTICATION_FAILURE", "GENERAL_FAILURE",
    "LOGIN_GENERAL_FAILURE", "LOGIN_AUTHENTICATION_REQUIRED", "CATALOG_ALREADY_LOADED", "ASYNC_PENDING",
      "EXPIRED_TOKEN" } },
  { name = "the names of the models", sections = { "2" }, steps = constants {
    "AUTH_TYPE_ANON", "AUTH_TYPE_BASIC", "AUTH_TYPE_FORM", "AUTH_TYPE_SSO", "AUTH_TYPE_FORM_SSO",
      "AUTH_TYPE_BEARER" } },
  { name = "the offline reasons", sections = { "2", "9" }, steps = constants {
    "DEVICE_OFFLINE", "SERVER_OFFLINE", "WEB_APPLICATION_OFFLINE", "SERVICE_OFFLINE", "APPSERVER_OFFLINE" } },
  { name = "a constant that is documented and does not exist", sections = { "2" }, steps = constants {
    "AUTHENTICATION_SUCCESS" } },
}
