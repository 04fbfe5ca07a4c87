--- The peak of the process's memory until now: a text, in KB.
return function()
  local file = assert(io.open("/proc/self/status"))
  local text = file:read "*a"
  file:close()
  return text:match "VmHWM:%s*(%d+)"
end
