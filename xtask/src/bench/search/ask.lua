-- Asks one question after another, in random order. After `--` comes the file of questions, one on each line.

local requests = {}

local function encoded(text)
  return (text:gsub("[^%w_.~-]", function(c) return string.format("%%%02X", c:byte()) end))
end

function init(args)
  for line in io.lines(args[1]) do
    requests[#requests + 1] = "GET " .. wrk.path .. "?q=" .. encoded(line)
      .. "&kind=article&limit=20&typing=true HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n\r\n"
  end
  assert(#requests > 0, "there are no questions")
  math.randomseed(os.time())
end

function request()
  return requests[math.random(#requests)]
end
