--- Replies: lists of { name, value }, the names being those of the JSON replies, written in the format of
-- the message that they answer.
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local locale = require "datasession.internal.locale"
local xml = require "datasession.sandbox.btt.xml"

local writer = {}

local writers = {}

function writers.json(_, settings, members)
  local object = json.ordered(members)
  if settings.wrapper then object = json.ordered { { settings.wrapper, object } } end
  return "application/json", json.encode(object)
end

-- The names of the XML channel, whose texts stand in double quotes.
local function writeReplyMsg(members, document)
  local parts = {}
  for i, member in ipairs(members) do
    local name, value = member[1], member[2]
    name = "dse_" .. (name == "result" and "resultData" or name:gsub("^dse_", ""))
    parts[i] = xml.encode(name, type(value) == "table" and value or '"' .. locale.text(value) .. '"')
  end
  return ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE replyMsg SYSTEM "/dse/%s.dtd">\n'
    .. '<replyMsg>%s</replyMsg>'):format(document, table.concat(parts))
end

function writers.xml(message, _, members)
  if message.root == "requestMsg" then
    return "text/xml;charset=UTF-8", writeReplyMsg(members, message.document)
  end
  local parts = {}
  for i, member in ipairs(members) do parts[i] = xml.encode(member[1], member[2]) end
  return "text/xml;charset=UTF-8", "<xml_reply>" .. table.concat(parts) .. "</xml_reply>"
end

local function page(title, content)
  return ("<!DOCTYPE html>\n<html>\n<head><meta charset=\"UTF-8\"><title>%s</title></head>\n"
    .. "<body>\n%s\n</body>\n</html>\n"):format(xml.escape(title), content)
end

local function hidden(name, value)
  return ('<input type="hidden" name="%s" value="%s">'):format(name, xml.escapeAttribute(value))
end

local function form(values)
  return table.concat({
    '<form method="POST" action="CSReqServlet">',
    hidden("dse_sessionId", values.sessionId or ""), hidden("dse_pageId", values.dse_pageId or ""),
    hidden("dse_operationName", ""), hidden("dse_parentContextName", ""), hidden("dse_applicationId", "-1"),
    hidden("dse_processorId", ""), hidden("dse_processorState", ""), hidden("dse_nextEventName", ""),
    hidden("dse_replyPage", "home.jsp"), "</form>",
  }, "\n")
end

local function list(result)
  local names, parts = {}, {}
  for name in pairs(result) do names[#names + 1] = name end
  table.sort(names, locale.before)
  for i, name in ipairs(names) do
    parts[i] = ("<dt>%s</dt><dd>%s</dd>"):format(xml.escape(name), xml.escape(locale.text(result[name])))
  end
  return "<dl>" .. table.concat(parts) .. "</dl>\n"
end

-- Pages have no status: they are the error page, a reply page or the home page. The form is missing
-- where there is no session to go on in.
function writers.html(_, _, members)
  local values = {}
  for _, member in ipairs(members) do values[member[1]] = member[2] end
  local title, text = "Home", ""
  if values.exception then
    local heading = values.exception .. " " .. values.status
    title, text = "Error", ("<h1>%s</h1>\n<p>%s</p>\n"):format(xml.escape(heading),
      xml.escape(values.message))
  elseif values.result then
    title, text = "Reply", list(values.result)
  end
  return "text/html;charset=UTF-8", page(title, text .. (values.dse_pageId and form(values) or ""))
end

--- The answer to a message. `message.document` names the DTD of an XML reply.
function writer.write(message, settings, members, status)
  local format = message.format == "form" and settings.answer or message.format
  local contentType, body = writers[format](message, settings, members)
  return http.answer(status or 200, contentType, body)
end

--- The members that report a failure. Without a code the exception is the status.
function writer.failure(code, exception, text)
  return { { "status", code or exception }, { "exception", exception }, { "message", text } }
end

return writer
