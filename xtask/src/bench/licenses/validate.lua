-- Asks wrk's question about one license key after another, in random order. After `--` come the file of keys, the first
-- and the last line that count, and `signed` when each question is one that is answered with a signature.

local keys, head, tail, signed = {}, nil, nil, false
local nonce = 100000000000

function init(args)
  local first, last = tonumber(args[2]), tonumber(args[3])
  signed = args[4] == "signed"
  local number = 0
  for line in io.lines(args[1]) do
    number = number + 1
    if number > last then break end
    if number >= first then keys[#keys + 1] = line end
  end
  assert(#keys == last - first + 1, "the file has too few keys")
  math.randomseed(os.time())
  local before = '{"licenseKey":"'
  tail = signed and '","fingerprint":"bench-machine","nonce":"' or '"}'
  local length = #before + #keys[1] + #tail
  if signed then length = length + 12 + 2 end
  head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
    .. "\r\nContent-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n" .. before
end

function request()
  local key = keys[math.random(#keys)]
  if not signed then return head .. key .. tail end
  nonce = nonce + 1
  return head .. key .. tail .. string.format("%.0f", nonce) .. '"}'
end
