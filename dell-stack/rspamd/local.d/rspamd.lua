-- A user may write only under an address of his own: Postfix checks the envelope (sender_logins), this file the
-- header that people read. Applies to whoever logged in; mail from outside has its own rules (SPF, DKIM, DMARC).
--
-- His own are: the name he logged in with, and the reverse-path, which Postfix let pass because it is his.
-- From must have the plain form  Name <address>  or  address, once. Anything cleverer (groups, comments, lists,
-- quoted local parts) is read differently by different programs, and then one of them could be made to see
-- somebody else. For the same reason no other address may stand in the name: "boss@bank.example" <taro@...>.

local FIELDS = { 'From', 'Sender', 'Resent-From', 'Resent-Sender' }
local REFUSAL = '%s must be your own address, written as: Name <address>'
-- Above what other prefilters say, so that no list of trusted senders opens this door.
local PRIORITY = 10

local SPECIAL = '[<>@,;:()%[%]\\]'
local ADDRESS_CHARACTER = "[%w!#$%%&'*+/=?^_`{|}~.-]"
local ADDRESS_IN_TEXT = ADDRESS_CHARACTER .. '*@[%w-]+%.[%w.-]+'
local FULLWIDTH_AT = '\239\188\160'

-- The field without its quoted strings, or nil where one does not end.
local function unquoted(text)
  local kept, quoted, escaped = {}, false, false
  for character in text:gmatch('.') do
    if not quoted then
      if character == '"' then quoted = true else kept[#kept + 1] = character end
    elseif escaped then
      escaped = false
    elseif character == '\\' then
      escaped = true
    elseif character == '"' then
      quoted = false
    end
  end
  return not quoted and table.concat(kept) or nil
end

-- The one address of a field in plain form, lower case; nil for any other form.
local function address_of(text)
  local bare = unquoted((text:gsub('[\r\n]+', ' ')))
  if not bare then return nil end
  local name, address = bare:match('^(.-)<(' .. ADDRESS_CHARACTER .. '+@[%w.-]+)>%s*$')
  if not address then
    name, address = '', bare:match('^%s*(' .. ADDRESS_CHARACTER .. '+@[%w.-]+)%s*$')
  end
  if not address or name:find(SPECIAL) then return nil end
  return address:lower()
end

local function names_only(text, own)
  local ascii = text:gsub(FULLWIDTH_AT, '@')
  for found in ascii:gmatch(ADDRESS_IN_TEXT) do
    if not own[found:lower()] then return false end
  end
  return true
end

local function is_own(field, own)
  local address = address_of(field.value or '')
  return address ~= nil and own[address] and names_only(field.decoded or '', own)
end

rspamd_config:register_symbol({
  name = 'NOT_OWN_ADDRESS',
  type = 'prefilter',
  flags = 'ignore_passthrough,nostat',
  priority = PRIORITY,
  score = 0.0,
  group = 'sending',
  description = 'A user writes under an address that is not his',
  callback = function(task)
    local user = task:get_user()
    if not user or user == '' then return false end
    local own = { [user:lower()] = true }
    -- As it was given: without "orig" Rspamd has cut taro+shop@ down to taro@.
    local reverse_path = task:get_from({ 'smtp', 'orig' })
    if reverse_path and reverse_path[1] and (reverse_path[1].addr or '') ~= '' then
      own[reverse_path[1].addr:lower()] = true
    end
    for _, name in ipairs(FIELDS) do
      local fields = task:get_header_full(name) or {}
      local wrong = #fields > 1 or (name == 'From' and #fields == 0)
      for _, field in ipairs(fields) do
        wrong = wrong or not is_own(field, own)
      end
      if wrong then
        task:set_pre_result('reject', REFUSAL:format(name), 'sending', nil, PRIORITY)
        return true, name
      end
    end
    return false
  end,
})
