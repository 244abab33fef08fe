# CRuby's Ractor.make_shareable, and the access that fails each time anew.
#
#     ruby ruby_share.rb DEPTH WIDTH ROUNDS FAILING
#
# The graph of the first is a tree of arrays, WIDTH to each but those at DEPTH, which are empty. For the
# second a constant holds FAILING frozen arrays and one that is not; a ractor reads it repeatedly.

require "json"

Warning[:experimental] = false

def build(depth, width)
  depth.zero? ? [] : Array.new(width) { build(depth - 1, width) }
end

def nanoseconds
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def print_figure(name, unit, samples)
  puts JSON.generate("figure" => name, "unit" => unit, "ours" => samples, "beside" => {})
end

depth, width, rounds, failing = ARGV.map(&:to_i)
objects = (0..depth).sum { |level| width**level }
GC.disable
samples = Array.new(rounds) do
  graph = build(depth, width)
  begun = nanoseconds
  Ractor.make_shareable(graph)
  (nanoseconds - begun) / objects.to_f
end
print_figure("share", "ns/object", samples)

REFUSED = Array.new(failing) { [].freeze }.push([]).freeze
reader = Ractor.new(rounds) do |times|
  Array.new(times) do
    begun = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    begin
      REFUSED
    rescue Ractor::IsolationError
      nil
    end
    Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - begun
  end
end
print_figure("failed again", "ns", reader.take)
