-- The events that wrk posts: all different, 14 per session. Arguments after `--`: name of the run, time of its events.
-- At the end it prints one line of JSON: requests, seconds, p99 in milliseconds, and errors (answers that are not 2xx,
-- and broken connections).

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  run = args[1]
  time = args[2]
  sent = 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

local form = '{"event_id":"evt_%s_%d_%d","event_type":"page_viewed","session_id":"s_%s_%d_%d",' ..
  '"user_id":"user_%d","tool_name":"Search","action":"opened",' ..
  '"properties":{"path":"/articles/%d","milliseconds":%d},"demo_mode":false,"timestamp":"%s.%06dZ"}'

function request()
  sent = sent + 1
  local session = math.floor(sent / 14)
  return wrk.format(nil, nil, nil, form:format(
    run, number, sent, run, number, session, session % 1000, sent % 500, sent % 9973, time, sent % 1000000
  ))
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"p99":%f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
