# The two outcomes of the race for one constant: whoever comes second gets an error, which names both sides.

CONFIG = { servers: [{ name: "a" }, { name: "b" }] }

def outcome
  yield
rescue Ractor::RemoteError => error
  puts error.cause.detailed_message, ""
rescue FrozenError => error
  puts error.detailed_message, ""
end

Thread.report_on_exception = false

# The ractor reads first, so main may not write.
Ractor.new { CONFIG[:servers].size }.take
outcome { CONFIG[:servers][1][:name] << "!" }

# Main writes first, so the ractor may not read.
LIMITS = { connections: [10, 20] }
LIMITS[:connections] << 30
outcome { Ractor.new { LIMITS[:connections].max }.take }

# Which objects are in which state, and what blocks.
puts Ractor::Autoshare.draw(LIMITS)
