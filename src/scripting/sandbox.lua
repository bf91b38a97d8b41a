-- The world of a script: which globals exist, and how they are kept from being changed.
--
-- Lua 5.1 has no read-only tables. A script gets an empty proxy in the place of each shared table: reading goes through to
-- the real table, writing is an error. The functions that look past metatables (rawset, next, getmetatable, ...) know the
-- proxies. Functions are replaced only where that is needed; the rest are Lua's own.
--
-- `host` has the functions written in Rust and the tables of the libraries; what comes back is for `Interpreter`.

-- These functions have an empty environment of their own, since a script can ask for it: everything they use is local.

local host = ...

local natives = host.natives
local error, getmetatable, ipairs, next, pairs = natives.error, natives.getmetatable, natives.ipairs, natives.next, natives.pairs
local rawget, rawset, setmetatable = natives.rawget, natives.rawset, natives.setmetatable
local loadstring, pcall, xpcall, tostring, type = natives.loadstring, natives.pcall, natives.xpcall, natives.tostring, natives.type
local resume = natives.coroutine.resume
local byte, format, match = natives.string.byte, natives.string.format, natives.string.match
local concat, sort, tonumber, unpack = natives.table.concat, natives.table.sort, natives.tonumber, natives.unpack
local find, gmatch, gsub, sub = natives.string.find, natives.string.gmatch, natives.string.gsub, natives.string.sub
local lower, rep, reverse, upper = natives.string.lower, natives.string.rep, natives.string.reverse, natives.string.upper
local collectgarbage = natives.collectgarbage
local thrown_value, ending = host.thrown_value, host.ending
-- Functions written in Rust, under the names that their errors show.
local rust = host.strings

local READONLY = "Attempt to modify a readonly table"
-- The largest integer of C, and Lua's limit of values on the stack of a C function.
local MAX_INT, MAX_RESULTS = 2147483647, 8000

-- Proxy -> real table, and the metatable that a proxy shows.
local real_of, shown_metatable = {}, {}

local function refuse_write()
    error(READONLY, 2)
end

local function missing_global(_, name)
    local kind = type(name)
    if kind ~= "string" and kind ~= "number" then
        error("Second argument to luaProtectedTableError must be a string or number", 2)
    end
    error("Script attempted to access nonexistent global variable '" .. name .. "'", 2)
end

-- A read-only view of `real`.
local function protect(real)
    local proxy = setmetatable({}, { __index = real, __newindex = refuse_write })
    real_of[proxy] = real
    return proxy
end

-- A read-only view of `real` in which reading a name that does not exist is an error.
local function protect_strictly(real)
    local proxy = protect(setmetatable(real, { __index = missing_global }))
    shown_metatable[proxy] = protect({ __index = missing_global })
    return proxy
end

local function bad_argument(index, name, message)
    error(format("bad argument #%d to '%s' (%s)", index, name, message), 3)
end

local function check_table(value, index, name)
    if type(value) ~= "table" then
        local got = value == nil and "no value" or type(value)
        error(format("bad argument #%d to '%s' (table expected, got %s)", index, name, got), 3)
    end
end

-- ---------------------------------------------------------------- functions that look past metatables

local base = {}

function base.rawset(table, key, value)
    check_table(table, 1, "rawset")
    if real_of[table] then
        error(READONLY, 0)
    end
    return rawset(table, key, value)
end

function base.rawget(table, key)
    check_table(table, 1, "rawget")
    return rawget(real_of[table] or table, key)
end

base.setmetatable = host.setmetatable_but(real_of, READONLY)

function base.getmetatable(value)
    if real_of[value] then
        return shown_metatable[value]
    end
    return getmetatable(value)
end

-- Finalisers would run outside every script, with nobody to catch their errors: they are taken and never called. What a script
-- sees as the metatable of an object passes everything else on.
local function proxies_without_finalisers(newproxy)
    return function(kind)
        local object = newproxy(kind)
        if kind == true then
            local metatable = getmetatable(object)
            metatable.__metatable = setmetatable({}, {
                __index = metatable,
                __newindex = function(_, event, handler)
                    if event ~= "__gc" then
                        rawset(metatable, event, handler)
                    end
                end,
                __metatable = false,
            })
        end
        return object
    end
end

function base.next(table, key)
    check_table(table, 1, "next")
    return next(real_of[table] or table, key)
end

function base.pairs(table)
    check_table(table, 1, "pairs")
    if real_of[table] then
        return base.next, table, nil
    end
    return next, table, nil
end

function base.ipairs(table)
    check_table(table, 1, "ipairs")
    return ipairs(table)
end

-- ---------------------------------------------------------------- functions that catch errors

-- A script that has been killed or aborted may not catch the error that ends it.
local function let_end()
    local text = ending()
    if text then
        error({ err = text }, 0)
    end
end

-- What was thrown, as a Lua value. A place in here tells a script nothing.
local function caught(value)
    let_end()
    if type(value) == "userdata" then
        return thrown_value(value)
    elseif type(value) == "string" then
        return (gsub(value, "^sandbox:%d+: ", ""))
    end
    return value
end

local function pcall_results(ok, value, ...)
    if ok then
        return true, value, ...
    end
    value = caught(value)
    -- Scripts from before errors were tables expect the text.
    if type(value) == "table" then
        local text = rawget(value, "err")
        if type(text) == "string" or type(text) == "number" then
            value = text
        end
    end
    return false, value
end

function base.pcall(...)
    return pcall_results(pcall(...))
end

local function xpcall_results(ok, value, ...)
    if not ok then
        let_end()
    end
    return ok, value, ...
end

function base.xpcall(body, handler)
    return xpcall_results(xpcall(body, function(value)
        if type(value) == "userdata" then
            value = thrown_value(value)
        end
        return handler(value)
    end))
end

local function resume_results(ok, value, ...)
    if ok then
        return true, value, ...
    end
    return false, caught(value)
end

local coroutines = {}
for name, value in pairs(natives.coroutine) do
    coroutines[name] = value
end

function coroutines.resume(...)
    return resume_results(resume(...))
end

-- ---------------------------------------------------------------- functions that Lua itself does not guard

-- Lua computes how many results there are in C's `int`, and believes what comes of it.
function base.unpack(list, first, last)
    check_table(list, 1, "unpack")
    local from = first == nil and 1 or tonumber(first)
    local to = last == nil and #list or tonumber(last)
    if from and to and not (from >= -MAX_INT - 1 and to <= MAX_INT and to - from < MAX_RESULTS) then
        error("too many results to unpack", 2)
    end
    -- Arguments count towards Lua's limit: no more are passed on than came.
    if last ~= nil then
        return unpack(list, first, last)
    elseif first ~= nil then
        return unpack(list, first)
    end
    return unpack(list)
end

-- Compiled code is refused: it could break the interpreter.
function base.loadstring(text, name)
    if type(text) ~= "string" and type(text) ~= "number" then
        bad_argument(1, "loadstring", "string expected, got " .. (text == nil and "no value" or type(text)))
    end
    text = tostring(text)
    rust.work(#text * 50)
    if byte(text) == 27 then
        return nil, format("%s: bad binary format (compiled code is not allowed)", name or "string")
    end
    -- The parser does not keep a chunk's name alive: this string does, as long as it is the very one that is used, which
    -- a NUL would prevent.
    name = match(tostring(name == nil and text or name), "^[^%z]*")
    return loadstring(text, name)
end

function base.load(reader, name)
    if type(reader) ~= "function" then
        bad_argument(1, "load", "function expected, got " .. (reader == nil and "no value" or type(reader)))
    end
    local pieces = {}
    while true do
        local piece = reader()
        if piece == nil or piece == "" then
            break
        elseif type(piece) ~= "string" then
            return nil, "reader function must return a string"
        end
        pieces[#pieces + 1] = piece
    end
    return base.loadstring(concat(pieces), name or "=(load)")
end

-- ---------------------------------------------------------------- functions that take long, and call the script back

local strings, tables = host.libraries.string, host.libraries.table

-- A string, or a number as one.
local function check_string(value, index, name)
    if type(value) == "number" then
        return tostring(value)
    elseif type(value) ~= "string" then
        local got = value == nil and "no value" or type(value)
        error(format("bad argument #%d to '%s' (string expected, got %s)", index, name, got), 3)
    end
    return value
end

-- What a match is replaced by: what a function returns for its captures, or what a table has for the first.
local function replacement_of(replacement, first, last, ...)
    if first == nil then
        return nil
    elseif type(replacement) == "function" then
        local value = replacement(...)
        return first, last, value
    end
    local key = ...
    return first, last, replacement[key]
end

-- Lua's own functions match a pattern in a moment if the text is short enough: what each repetition in the pattern can multiply the
-- work by is the length of the text. The length is found once for each pattern, until there are too many to remember.
local short_for, remembered = {}, 0

local function short_enough_for(pattern)
    if type(pattern) ~= "string" or #pattern > 100 then
        return -1
    end
    if remembered == 1000 then
        short_for, remembered = {}, 0
    end
    local _, repetitions = gsub(pattern, "[*+?%-b%d]", "")
    short_for[pattern], remembered = 1000000 ^ (1 / (repetitions + 1)), remembered + 1
    return short_for[pattern]
end

local function is_quick(text, pattern)
    return type(text) == "string" and #text <= (short_for[pattern] or short_enough_for(pattern))
end

-- What it is given. A function called within has a name, which it shows in its errors; one called last would have none.
local function all(...)
    return ...
end

function strings.find(...)
    if is_quick(...) then
        return all(find(...))
    end
    return all(rust.find(...))
end

function strings.match(...)
    if is_quick(...) then
        return all(match(...))
    end
    return all(rust.match(...))
end

function strings.rep(...)
    local text, count = ...
    if type(text) == "string" and type(count) == "number" and count <= 10000 and #text * count <= 10000 then
        return rep(text, count)
    end
    return all(rust.rep(...))
end

function strings.lower(...)
    local text = ...
    if type(text) == "string" and #text <= 10000 then
        return lower(text)
    end
    return all(rust.lower(...))
end

function strings.reverse(...)
    local text = ...
    if type(text) == "string" and #text <= 10000 then
        return reverse(text)
    end
    return all(rust.reverse(...))
end

function strings.upper(...)
    local text = ...
    if type(text) == "string" and #text <= 10000 then
        return upper(text)
    end
    return all(rust.upper(...))
end

function strings.gsub(...)
    local subject, pattern, replacement, limit = ...
    if is_quick(subject, pattern) and replacement ~= nil and type(replacement) ~= "boolean" then
        return all(gsub(...))
    elseif type(replacement) ~= "function" and type(replacement) ~= "table" then
        return all(rust.gsub(...))
    end
    subject, pattern = check_string(subject, 1, "gsub"), check_string(pattern, 2, "gsub")
    if limit ~= nil and not tonumber(limit) then
        bad_argument(4, "gsub", "number expected, got " .. type(limit))
    end
    limit = limit == nil and #subject + 1 or tonumber(limit)
    local anchored = byte(pattern) == 94
    local pieces, used, count, from = {}, 0, 0, 0
    while count < limit do
        local first, last, value =
            replacement_of(replacement, rust.match_from(subject, pattern, from, true))
        if first == nil then
            break
        end
        count = count + 1
        if not value then
            value = sub(subject, first + 1, last)
        elseif type(value) ~= "string" and type(value) ~= "number" then
            error("invalid replacement value (a " .. type(value) .. ")", 2)
        end
        pieces[#pieces + 1] = sub(subject, used + 1, first)
        pieces[#pieces + 1] = value
        used = last
        from = last > first and last or last + 1
        if anchored or from > #subject then
            break
        end
    end
    pieces[#pieces + 1] = sub(subject, used + 1)
    return concat(pieces), count
end

function strings.gmatch(subject, pattern)
    subject, pattern = check_string(subject, 1, "gmatch"), check_string(pattern, 2, "gmatch")
    if is_quick(subject, pattern) then
        return gmatch(subject, pattern)
    end
    local from = 0
    local function results(first, last, ...)
        if first ~= nil then
            from = last > first and last or last + 1
            return ...
        end
    end
    return function()
        return results(rust.match_from(subject, pattern, from, false))
    end
end
strings.gfind = strings.gmatch

function tables.concat(...)
    local list = ...
    if type(list) ~= "table" or #list > 1000 then
        return all(rust.concat(...))
    end
    local text = concat(...)
    if #text > 10000 then
        rust.work(#text)
    end
    return text
end

-- In Lua, so that comparing can be interrupted.
local function is_less(left, right)
    return left < right
end

function tables.sort(list, less)
    check_table(list, 1, "sort")
    if less ~= nil and type(less) ~= "function" then
        bad_argument(2, "sort", "function expected, got " .. type(less))
    end
    local ok, problem = pcall(sort, list, less or is_less)
    if ok then
        return
    elseif problem == "invalid order function for sorting" then
        error(problem, 2)
    elseif type(problem) == "string" then
        problem = gsub(problem, "^sandbox:%d+: ", "")
    end
    error(problem, 0)
end

local COLLECTING = {
    collect = true, stop = true, restart = true, count = true, step = true, setpause = true, setstepmul = true,
}

-- Collecting takes long where there is much.
function base.collectgarbage(option, argument)
    if option ~= nil and not COLLECTING[option] then
        bad_argument(1, "collectgarbage", "invalid option '" .. tostring(option) .. "'")
    end
    local result = collectgarbage(option or "collect", tonumber(argument) or 0)
    rust.look()
    return result
end

-- ---------------------------------------------------------------- the globals

local globals = {}
for _, name in ipairs({
    "assert", "error", "gcinfo", "rawequal", "select", "tonumber", "tostring", "type", "_VERSION",
}) do
    globals[name] = natives[name]
end
if host.deprecated then
    globals.getfenv, globals.setfenv = natives.getfenv, natives.setfenv
    base.newproxy = proxies_without_finalisers(natives.newproxy)
end
for name, value in pairs(base) do
    globals[name] = value
end
for name, library in pairs(host.libraries) do
    globals[name] = protect(library)
end
globals.coroutine = protect(coroutines)

local string_metatable = getmetatable("")
string_metatable.__metatable = protect({ __index = globals.string })

local view = protect_strictly(globals)
globals._G = view

-- What a library sees while it is loaded: nothing but these functions of `redis`.
local loading = nil
if host.loading then
    loading = setmetatable({ redis = protect_strictly(host.loading) }, { __index = missing_global })
end
local view_metatable = getmetatable(view)

local function see(what)
    rawset(view_metatable, "__index", what == "loading" and loading or globals)
end

-- ---------------------------------------------------------------- running

local describe = host.describe

-- Runs `body`, and says whether it came to its end, with its first result or the error as a table.
local function run(body, keys, arguments)
    if keys == nil then
        return xpcall(body, describe)
    end
    return xpcall(function()
        return body(keys, arguments)
    end, describe)
end

local proxies = {}
for proxy in pairs(real_of) do
    proxies[#proxies + 1] = proxy
end

return { run = run, globals = globals, view = view, see = see, proxies = proxies }
