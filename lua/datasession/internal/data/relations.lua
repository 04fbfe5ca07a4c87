--- Relations between the tables of a data object: a child table shows the records that belong to the working
-- record of its parent.
--
--     m.parent, m.children   the states of the related tables; m.isRelated: true if there is one
--     m.links                array of { parent = field, child = field }
--     m.groups               key -> array of the child's records with that key, in order; nil: not made yet
--     m.parentOf             weak keys: new record -> the new record of the parent that it was added to
--     m.stale                true if the working record is the first related one, which nothing has asked for

local codec = require "datasession.internal.codec"
local ids = require "datasession.internal.data.ids"
local locale = require "datasession.internal.locale"
local order = require "datasession.internal.data.order"
local private = require "datasession.internal.data.private"
local raise = require "datasession.internal.raise"
local schema = require "datasession.internal.data.schema"
local math = require("datasession.internal.lua").math

local P, VALUES = private.P, private.VALUES
local null = codec.null

local relations = {}

-- ---- Connecting

local function spelledField(m, name, relation, level)
  local spelled = type(name) == "string" and schema.spelled(m.shape, name)
  if spelled or m.shape.open then return spelled or name end
  raise(("JSDO: the catalog's relation '%s' names the field '%s', which %s lacks"):format(
    tostring(relation.relationName), tostring(name), m.shape.name), level + 1)
end

local function connect(parent, child, relation, level)
  local links, names = {}, {}
  for i, pair in ipairs(relation.relationFields or {}) do
    links[i] = {
      parent = spelledField(parent, pair.parentFieldName, relation, level + 1),
      child = spelledField(child, pair.childFieldName, relation, level + 1),
    }
    names[links[i].child] = true
  end
  if #links == 0 then return end
  child.parent, child.links, child.keyFields = parent, links, names
end

-- False: the table would be its own ancestor.
local function isAbove(m, other)
  while m and m ~= other do m = m.parent end
  return m == nil
end

--- Connects the tables of a data object as the catalog says. A child has one parent: the last one that the
-- catalog names. Raises for fields that the tables lack.
function relations.connect(s, level)
  for _, relation in ipairs(s.resource.relations or {}) do
    local parent, child = s.byName[relation.parentName], s.byName[relation.childName]
    if parent and child and isAbove(parent[P], child[P]) then
      connect(parent[P], child[P], relation, level + 1)
    end
  end
  for _, t in ipairs(s.tables) do
    local m = t[P]
    if m.parent then
      m.parent.children = m.parent.children or {}
      table.insert(m.parent.children, m)
      m.isRelated, m.parent.isRelated = true, true
    end
  end
end

--- The state of the parent table; nil if there is none, or relations are not to be used.
function relations.parent(m)
  return m.parent and m.jsdo[P].useRelationships and m.parent or nil
end

-- ---- Groups

local function part(value)
  if value == nil or value == null then return "" end
  if type(value) == "number" then return locale.text(math.tointeger(value) or value) end
  return tostring(value)
end

-- The text of the values by which parent and child are related.
local function key(links, side, row)
  if #links == 1 then return part(row[links[1][side]]) end
  local parts = {}
  for i, link in ipairs(links) do
    local text = part(row[link[side]])
    parts[i] = #text .. ":" .. text
  end
  return table.concat(parts)
end

local function enter(m, groups, r)
  local text = key(m.links, "child", r[VALUES])
  local group = groups[text]
  if not group then
    group = {}
    groups[text] = group
  end
  group[#group + 1] = r
  return group
end

local function build(m)
  local groups, records = {}, order.records(m)
  for i = 1, #records do enter(m, groups, records[i]) end
  m.groups = groups
end

-- Puts a group in order again, without the records that have left it.
local function tidy(m, text)
  local kept, seen, numbers = {}, {}, ids.number(m)
  for _, r in ipairs(m.groups[text]) do
    if not seen[r] and m.deleted[r] ~= "gone" and key(m.links, "child", r[VALUES]) == text then
      seen[r] = true
      kept[#kept + 1] = r
    end
  end
  if m.active then
    kept = order.arrange(m, kept)
  else
    table.sort(kept, function(a, b) return numbers[a] < numbers[b] end)
  end
  m.groups[text] = kept
  return kept
end

local none = {}

--- The array of the records that belong to a record of the parent. Some may be deleted.
function relations.children(m, parentRecord)
  if not m.groups then build(m) end
  if not parentRecord then return none end
  local text = key(m.links, "parent", parentRecord[VALUES])
  local group = m.groups[text]
  if group and group.dirty then group = tidy(m, text) end
  return group or none
end

--- Notes that a key field of a child has changed.
-- @param was the field's value before
function relations.keyChanged(m, r, field, was)
  local groups, row = m.groups, r[VALUES]
  m.groups = nil -- out of memory, the next reader makes others
  if not groups or m.reordered and not m.active then return end
  local other = {}
  for _, link in ipairs(m.links) do other[link.child] = row[link.child] end
  other[field] = was
  local left = groups[key(m.links, "child", other)]
  if left then left.dirty = true end
  enter(m, groups, r).dirty = true
  m.groups = groups
end

--- Notes that a record was appended.
function relations.appended(m, r)
  local groups = m.groups
  if not groups then return end
  m.groups = nil
  enter(m, groups, r).dirty = m.active or nil
  m.groups = groups
end

--- Notes that a record may be out of place in its group, since the table is kept sorted.
function relations.moved(m, r)
  local groups = m.groups
  m.groups = nil
  local group = groups[key(m.links, "child", r[VALUES])]
  if group then group.dirty = true end
  m.groups = groups
end

-- ---- Working records

local setWorking

-- The children's working records are the first related ones, or none.
local function setChildren(m, stale)
  for _, child in ipairs(m.children) do
    child.working, child.stale = nil, stale
    if child.children then setChildren(child, stale) end
  end
end

local function first(m, list)
  for i = 1, #list do
    if not m.deleted[list[i]] then return list[i] end
  end
end

--- The working record; nil: there is none.
function relations.working(m)
  if m.stale then
    m.stale = false
    local parent = relations.parent(m)
    local record = parent and relations.working(parent)
    m.working = record and first(m, relations.children(m, record))
  end
  return m.working
end

--- Sets or clears the working record. The children follow.
-- @param alone boolean: true if the children get none
function setWorking(m, r, alone)
  m.working, m.stale = r, false
  if m.children and m.jsdo[P].useRelationships then setChildren(m, r ~= nil and not alone) end
end

relations.setWorking = setWorking

--- The records that a method of the table shows: those of the parent's working record, or all.
function relations.list(m)
  local parent = relations.parent(m)
  if not parent then return order.records(m) end
  return relations.children(m, relations.working(parent))
end

--- The key of the parent's working record, for a new child: a table of values by field; nil without a parent.
function relations.foreignKey(m)
  local parent = relations.parent(m)
  local record = parent and relations.working(parent)
  if not record then return nil end
  local values = {}
  for _, link in ipairs(m.links) do
    local value = record[VALUES][link.parent]
    if value == nil then value = null end
    values[link.child] = value
  end
  return values
end

--- Notes to which new record of the parent a new record belongs: both may have no key yet.
function relations.noteParent(m, r)
  local parent = relations.parent(m)
  local record = parent and relations.working(parent)
  local change = record and parent.changes[record]
  if change and change.state == "created" then
    m.parentOf = m.parentOf or setmetatable({}, { __mode = "k" })
    m.parentOf[r] = record
  end
end

return relations
